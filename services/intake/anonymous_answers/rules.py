"""Decides which anonymous answers are appended together. Pure.

Answers that keep the same of their incident are appended once there are enough, so each
could be that of anybody who was asked about such an incident. Comments are appended
apart from the choices, by the same rule.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import SystemRandom
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.domain.events.survey import Choice
from shared.domain.events.survey.anonymous import (
    AnonymousEvent,
    SurveyAnswerReleased,
    SurveyCommentReleased,
)
from shared.domain.policy.surveys import Dimension
from shared.domain.policy.targets import Channel
from shared.domain.survey.invitation import Invitation

ACTOR = "system:intake"
OWNER = "system:anonymous-answers"
"""The owner of the key for answers that wait, and for their comments in the log."""
FULL = 100
"""So many answers about the same are appended at once, also those of today."""
BATCH_MAX = 300
"""The maximum number of answers that are appended together."""
MIXED_AFTER = timedelta(days=30)
"""Answers that have waited so long are appended without what they keep."""


class _Pooled(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: str
    day: date
    """The day on which it was given: it is not appended on the same day."""


class PooledAnswer(_Pooled):
    """The choices of somebody, with what is kept of the incident."""

    choices: Mapping[str, Choice]
    kept: tuple[Dimension, ...] = ()
    channel: Channel | None = None
    service: str | None = None
    team: str | None = None


class PooledComment(_Pooled):
    """The comment of somebody."""

    comment: str


class Pool(BaseModel):
    """The answers to a survey that wait. Their order has no meaning."""

    model_config = ConfigDict(frozen=True)

    answers: tuple[PooledAnswer, ...] = ()
    comments: tuple[PooledComment, ...] = ()


Shuffle = Callable[[list[Any]], None]
SHUFFLE: Shuffle = SystemRandom().shuffle
_Item = TypeVar("_Item", bound=_Pooled)


def with_answer(
    pool: Pool,
    held: Invitation,
    choices: Mapping[str, int],
    comment: str | None,
    day: date,
    shuffle: Shuffle,
) -> Pool:
    """Return the pool with one more answer, shuffled so that none is the last."""
    kept = held.kept or ()
    answer = PooledAnswer(
        version=held.version,
        day=day,
        choices=choices,
        kept=kept,
        channel=held.channel if "channel" in kept else None,
        service=held.service if "service" in kept else None,
        team=held.team if "team" in kept else None,
    )
    answers, comments = [*pool.answers, answer], [*pool.comments]
    if comment is not None:
        said = PooledComment(version=held.version, day=day, comment=comment)
        comments.append(said)
    shuffle(answers)
    shuffle(comments)
    return Pool(answers=tuple(answers), comments=tuple(comments))


@dataclass(frozen=True, slots=True)
class Batch:
    """What is appended together, in an order without meaning, and what waits on."""

    events: Sequence[AnonymousEvent]
    rest: Pool


def next_batch(
    survey: str, pool: Pool, day: tuple[date, datetime], least: int, shuffle: Shuffle
) -> Batch | None:
    """Return the next answers, or comments, that are enough; None if none are.

    `day` is today and when it began. At least `least` are appended together.
    """
    today, at = day
    answers = _answers(pool.answers, today, least)
    comments = () if answers else _enough(pool.comments, _version, today, least)
    if not answers and not comments:
        return None
    events: list[AnonymousEvent] = [
        *(_answer_event(survey, at, answer) for answer in answers.values()),
        *(_comment_event(survey, at, pool.comments[place]) for place in comments),
    ]
    shuffle(events)
    rest = Pool(
        answers=_without(pool.answers, answers.keys()),
        comments=_without(pool.comments, set(comments)),
    )
    return Batch(events, rest)


def _answers(
    answers: Sequence[PooledAnswer], today: date, least: int
) -> Mapping[int, PooledAnswer]:
    """Return answers about the same, or mixed ones, by their places in the pool."""
    if same := _enough(answers, _cell, today, least):
        return {place: answers[place] for place in same}
    old = {
        place: PooledAnswer(version=each.version, day=each.day, choices=each.choices)
        for place, each in enumerate(answers)
        if each.day <= today - MIXED_AFTER
    }
    chosen = _enough([*old.values()], _version, today, least)
    places = [*old]
    return {places[each]: old[places[each]] for each in chosen}


def _enough(
    items: Sequence[_Item],
    cell_of: Callable[[_Item], Hashable],
    today: date,
    least: int,
) -> Sequence[int]:
    """Return the places of items of one cell that are enough; none if no cell has."""
    cells: dict[Hashable, list[int]] = {}
    for place, item in enumerate(items):
        cells.setdefault(cell_of(item), []).append(place)
    for cell in cells.values():
        earlier = [place for place in cell if items[place].day < today]
        usable = cell if len(cell) >= FULL else earlier
        if len(usable) >= least:
            return usable[: max(BATCH_MAX, least)]
    return ()


def _cell(answer: PooledAnswer) -> Hashable:
    kept = tuple(sorted(answer.kept))
    return answer.version, kept, answer.channel, answer.service, answer.team


def _version(item: _Pooled) -> Hashable:
    return item.version


def _without(items: Sequence[_Item], places: Collection[int]) -> tuple[_Item, ...]:
    return tuple(item for place, item in enumerate(items) if place not in places)


def _answer_event(
    survey: str, at: datetime, answer: PooledAnswer
) -> SurveyAnswerReleased:
    return SurveyAnswerReleased(
        at=at,
        by=ACTOR,
        survey=survey,
        version=answer.version,
        choices=answer.choices,
        kept=answer.kept,
        channel=answer.channel,
        service=answer.service,
        team=answer.team,
    )


def _comment_event(
    survey: str, at: datetime, said: PooledComment
) -> SurveyCommentReleased:
    return SurveyCommentReleased(
        at=at,
        by=ACTOR,
        whose=OWNER,
        survey=survey,
        version=said.version,
        comment=said.comment,
    )
