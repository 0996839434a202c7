"""Makes the results of a survey in a period from invitations and answers. Pure.

Results are shown only for enough people. A group of fewer answers has no figures, and
neither has another one, if the first could be computed from the rest: also from groups
by something else.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from shared.domain.events.survey import (
    SurveyAnswered,
    SurveyContactAnswered,
    SurveyContactInvited,
    SurveyInvited,
)
from shared.domain.events.survey.anonymous import SurveyAnswerReleased
from shared.domain.events.survey.results import (
    Grouping,
    GroupResult,
    QuestionResult,
    SurveyResults,
)
from shared.domain.policy.surveys import Dimension
from shared.domain.survey.disclosure import ShownFigures, divided_by

SATISFIED = 4
"""Who chooses this or more on average is satisfied."""
_CHOICES = range(1, 6)
_CLIENT: Grouping = "client"
_GROUPINGS: tuple[Grouping, ...] = (*get_args(Dimension), _CLIENT)
"""In the order in which their figures are decided: the first have them sooner."""
AnyInvitation = SurveyInvited | SurveyContactInvited
AnyAnswer = SurveyAnswered | SurveyContactAnswered


@dataclass(frozen=True, slots=True)
class InvitationRecord:
    """An invitation, and its answer if there is one, with when each was recorded."""

    invitation: AnyInvitation
    invited_at: datetime
    answer: AnyAnswer | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _PeriodAnswer:
    """An answer of the period, with what its incident was at the invitation."""

    about: AnyInvitation | SurveyAnswerReleased
    answer: AnyAnswer | SurveyAnswerReleased


def is_satisfied(answer: AnyAnswer | SurveyAnswerReleased) -> bool:
    """Return whether the choices of an answer are at least `SATISFIED` on average."""
    chosen = answer.choices.values()
    return bool(chosen) and sum(chosen) >= SATISFIED * len(chosen)


def results(
    asked: Iterable[InvitationRecord],
    period: tuple[datetime, datetime],
    least: int,
    released: Sequence[SurveyAnswerReleased] = (),
) -> SurveyResults:
    """Return the results of [start, end); `least` answers are needed for a figure.

    `released` are the anonymous answers that were recorded in the period. To which
    invitation they belong is unknown: as many of these count as answered.
    """
    start, end = period
    invited, given, responded = list[AnyInvitation](), list[_PeriodAnswer](), 0
    for each in asked:
        at = each.answered_at
        if start <= each.invited_at < end:
            invited.append(each.invitation)
            responded += at is not None and at < end
        if each.answer is not None and at is not None and start <= at < end:
            given.append(_PeriodAnswer(each.invitation, each.answer))
    anonymous = sum(_kept(each) is not None for each in invited)
    responded += min(anonymous, len(released))
    given += [_PeriodAnswer(each, each) for each in released]
    satisfied = sum(is_satisfied(each.answer) for each in given)
    is_hidden = 0 < len(given) < least
    dimensions = [by for by in _GROUPINGS if _is_kept(by, invited, given)]
    versions, hidden = _withheld(given, dimensions, least)
    return SurveyResults(
        invited=len(invited),
        responded=responded,
        n=len(given),
        satisfied=None if is_hidden else satisfied,
        questions=tuple(_questions(given, versions)),
        groups=tuple(
            group
            for by in dimensions
            for group in _groups(by, invited, given, hidden[by])
        ),
    )


def agree(published: SurveyResults, now: SurveyResults) -> bool:
    """Return whether two results are the same, as far as both show them.

    What was published before a later version withheld more, or divided by more, agrees.
    """
    names = ("invited", "responded", "n")
    counted = all(getattr(published, name) == getattr(now, name) for name in names)
    shown = [
        {
            "whole": None if each.satisfied is None else (each.satisfied,),
            **{
                (one.version, one.question): one.counts or None
                for one in each.questions
            },
            **{(one.by, one.name): _shown(one) for one in each.groups},
        }
        for each in (published, now)
    ]
    sizes = [
        {(one.by, one.name): (one.invited, one.n) for one in each.groups}
        for each in (published, now)
    ]
    return counted and _is_same_where_both(*shown) and _is_same_where_both(*sizes)


def _shown(group: GroupResult) -> tuple[int, ...] | None:
    return None if group.satisfied is None else (group.satisfied,)


def _is_same_where_both(
    one: Mapping[Any, tuple[int, ...] | None],
    other: Mapping[Any, tuple[int, ...] | None],
) -> bool:
    return all(
        one[key] == other[key]
        for key in one.keys() & other.keys()
        if one[key] is not None and other[key] is not None
    )


def _withheld(
    given: Sequence[_PeriodAnswer], dimensions: Sequence[Grouping], least: int
) -> tuple[Collection[str], Mapping[Grouping, Collection[str | None]]]:
    """Return the versions and the groups whose figures are not shown.

    Answers that have all in common are one: they are in the same figures.
    """
    alike = Counter(
        (each.answer.version, *(_name(by, each.about) for by in dimensions))
        for each in given
    )
    keys, whole = list(alike), frozenset(range(len(alike)))
    shown = ShownFigures(list(alike.values()), least)
    shown.add([whole])
    versions = shown.divide(divided_by([str(key[0]) for key in keys], whole))
    return versions, {
        by: shown.divide(divided_by([key[number] for key in keys], whole))
        for number, by in enumerate(dimensions, 1)
    }


def _questions(
    given: Sequence[_PeriodAnswer], hidden: Collection[str]
) -> Iterator[QuestionResult]:
    counted: dict[tuple[str, str], Counter[int]] = {}
    for each in given:
        for question, choice in each.answer.choices.items():
            key = (each.answer.version, question)
            counted.setdefault(key, Counter())[choice] += 1
    for (version, question), counts in sorted(counted.items()):
        shown = () if version in hidden else tuple(counts[each] for each in _CHOICES)
        yield QuestionResult(version=version, question=question, counts=shown)


def _groups(
    by: Grouping,
    invited: Sequence[AnyInvitation],
    given: Sequence[_PeriodAnswer],
    hidden: Collection[str | None],
) -> Iterator[GroupResult]:
    asked = Counter(_name(by, each) for each in invited)
    answered = Counter(_name(by, each.about) for each in given)
    satisfied = Counter(
        _name(by, each.about) for each in given if is_satisfied(each.answer)
    )
    names = sorted({*asked, *answered}, key=lambda name: (name is None, name or ""))
    for name in names:
        yield GroupResult(
            by=by,
            name=name,
            invited=asked[name],
            n=answered[name],
            satisfied=None if name in hidden else satisfied[name],
        )


def _is_kept(
    by: Grouping, invited: Sequence[AnyInvitation], given: Sequence[_PeriodAnswer]
) -> bool:
    """Return whether answers have a dimension: anonymous ones may not keep it."""
    about = (*invited, *(each.about for each in given))
    return not about or any(_has(by, each) for each in about)


def _has(by: Grouping, about: AnyInvitation | SurveyAnswerReleased) -> bool:
    if isinstance(about, SurveyContactInvited):
        return by == _CLIENT
    if by == _CLIENT:  # anonymous answers never keep it
        return about.kept is None
    return about.kept is None or by in about.kept


def _kept(about: AnyInvitation) -> Sequence[Dimension] | None:
    return about.kept if isinstance(about, SurveyInvited) else None


def _name(by: Grouping, about: AnyInvitation | SurveyAnswerReleased) -> str | None:
    return getattr(about, by) if _has(by, about) else None
