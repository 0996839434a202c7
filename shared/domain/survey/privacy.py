"""What of a survey is for its owner alone: named answers, and figures of a few. Pure.

Anonymous surveys, and those of users, publish no figure of a few people. A survey of
clients may: then its owner alone sees it.
"""

from collections.abc import Collection

from shared.domain.events import AnyEvent
from shared.domain.events.survey import SurveyAnswered, SurveyContactAnswered
from shared.domain.events.survey.results import SurveyPublished, SurveyResults
from shared.domain.policy.surveys import MIN_ANSWERS
from shared.domain.survey.disclosure import withheld

NAMED_ANSWERS: Collection[str] = ("survey.answered", "survey.contact_answered")
"""The types of the events that keep an answer with its person."""


def owners_fields(event: AnyEvent) -> Collection[str]:
    """Return the fields of an event that only the owner of the survey may read."""
    match event:
        case SurveyAnswered() | SurveyContactAnswered():
            return {"choices", "comment"}
        case SurveyPublished() if for_everybody(event).results != event.results:
            return {"results"}
        case _:
            return ()


def for_everybody(published: SurveyPublished) -> SurveyPublished:
    """Return a publication without what tells the answers of a few people.

    Which answers two figures have in common is unknown here. So where more than one
    thing divides the answers, no group has figures.
    """
    if published.min_answers >= MIN_ANSWERS:
        return published
    shown = _without_few(published.results)
    return published.model_copy(update={"min_answers": MIN_ANSWERS, "results": shown})


def _without_few(found: SurveyResults) -> SurveyResults:
    is_enough = found.n >= MIN_ANSWERS
    versions = {each.version for each in found.questions}
    dimensions = {each.by for each in found.groups}
    sizes = {each.name: each.n for each in found.groups}
    hidden: Collection[str | None] = sizes.keys()
    if is_enough and len(versions) <= 1 and len(dimensions) <= 1:
        hidden = withheld(sizes, MIN_ANSWERS)
    return found.model_copy(
        update={
            "satisfied": found.satisfied if is_enough else None,
            "questions": tuple(
                each
                if is_enough and len(versions) == 1
                else each.model_copy(update={"counts": ()})
                for each in found.questions
            ),
            "groups": tuple(
                each.model_copy(update={"satisfied": None})
                if each.name in hidden
                else each
                for each in found.groups
            ),
        }
    )
