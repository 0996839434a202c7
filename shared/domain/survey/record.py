"""The published results of a survey and what follows, from the events of its stream."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from shared.domain.action import Action
from shared.domain.events import AnyEvent
from shared.domain.events.survey.results import (
    SurveyActionDone,
    SurveyActionOpened,
    SurveyClosed,
    SurveyOpened,
    SurveyPublished,
    SurveyResultEvent,
    SurveyWarned,
    SurveyWarningKind,
)


@dataclass(frozen=True, slots=True)
class SurveyAction(Action):
    """Something that somebody is to do about the results of a period."""

    start: datetime = field(kw_only=True)
    """The beginning of the period."""


WarningKey = tuple[SurveyWarningKind, datetime, int | None]


@dataclass(frozen=True, slots=True)
class SurveyRecord:
    """What was published of a survey, and what follows of it."""

    published: Sequence[SurveyPublished] = ()
    actions: Mapping[int, SurveyAction] = field(default_factory=dict)
    warnings: Mapping[WarningKey, SurveyWarned] = field(default_factory=dict)
    opened: Mapping[datetime, SurveyOpened] = field(default_factory=dict)
    """The periods in which clients were asked, by their beginning."""
    closed: frozenset[datetime] = frozenset()

    def overlapping(self, start: datetime, end: datetime) -> SurveyPublished | None:
        """Return a published period that has an instant of [start, end)."""
        return next(
            (each for each in self.published if each.start < end and start < each.end),
            None,
        )

    def is_settled(self, warning: SurveyWarned) -> bool:
        """Return whether what a warning is about was followed up.

        That a month asked nobody cannot be changed: it is settled by the results of a
        later one.
        """
        match warning.kind:
            case "not_asked":
                return any(each.start > warning.start for each in self.published)
            case "not_published":
                return any(each.start == warning.start for each in self.published)
            case "action_overdue":
                action = self.actions.get(warning.action or 0)
                return action is not None and action.done_at is not None
            case _:
                assert_never(warning.kind)


def replay_record(events: Iterable[AnyEvent]) -> SurveyRecord:
    """Return the record of a survey after its events; passes over all others."""
    held = SurveyRecord()
    for event in events:
        if isinstance(event, SurveyResultEvent):
            held = _after(held, event)
    return held


def _after(held: SurveyRecord, event: SurveyResultEvent) -> SurveyRecord:
    match event:
        case SurveyPublished():
            return replace(held, published=(*held.published, event))
        case SurveyActionOpened(action=number):
            action = SurveyAction(
                number,
                event.owner,
                event.due_at,
                event.task,
                event.at,
                start=event.start,
            )
            return replace(held, actions={**held.actions, number: action})
        case SurveyActionDone(action=number, at=at):
            done = {
                each: replace(action, done_at=at)
                for each, action in held.actions.items()
                if each == number
            }
            return replace(held, actions={**held.actions, **done})
        case SurveyOpened(start=start):
            return replace(held, opened={**held.opened, start: event})
        case SurveyClosed(start=start):
            return replace(held, closed=held.closed | {start})
        case SurveyWarned():
            key = (event.kind, event.start, event.action)
            return replace(held, warnings={**held.warnings, key: event})
        case _:
            assert_never(event)
