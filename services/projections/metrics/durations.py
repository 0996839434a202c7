"""Measures the facts of an incident by the calendar and pauses of its promises."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from services.projections.metrics.state import Fact, IncidentState, Kind
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import Channel
from shared.domain.working_time import ALWAYS, Hours, Span, elapsed, hours_of

Policies = Mapping[int, Policy]
"""Policies by version."""


class TimedIncident(NamedTuple):
    """An incident with the hours and targets by which it is measured."""

    incident: IncidentState
    hours: Hours
    answer_seconds: Mapping[str, int]
    """The target for answering a contact, by channel."""

    def duration(self, fact: Fact) -> tuple[int | None, int | None]:
        """Return the working and the wall-clock seconds of a fact, if any."""
        start = self.incident.reported_at
        match fact:
            case Fact(kind="waiting", word="first", ended="acknowledged", ended_at=at):
                if at is not None:
                    return elapsed(self.hours, start, at), elapsed(ALWAYS, start, at)
            case Fact(kind="restored" | "resolved", began_at=at):
                if at is not None:
                    over = self._interrupted(fact.kind, at)
                    stood = [*over, *self._paused(at)]
                    working = elapsed(self.hours, start, at, stood)
                    return working, elapsed(ALWAYS, start, at, over)
            case Fact(kind="dwell", ended_at=at) if at is not None:
                return self._consumed(fact.word, at), None
        return None, None

    def answer(self, fact: Fact) -> str:
        """Return whether a contact was answered in time."""
        target = self.answer_seconds.get(fact.word)
        if fact.ended:
            return fact.ended
        if fact.waited is None:
            return "unknown"
        if target is None:
            return "without_target"
        return "in_time" if fact.waited <= target else "late"

    def _consumed(self, level: str, end: datetime) -> int:
        """Return how much of the TTR a level consumed; the levels add up to it."""
        promise = self.incident.promise
        over = self._interrupted("resolved", end)
        if promise is None or promise.stops_at == "restored":
            over += self._interrupted("restored", end)
        stood = [*over, *self._paused(end)]
        turns = [("n1", self.incident.reported_at)]
        turns += [(entered.level, entered.at) for entered in self.incident.levels]
        ends = (*turns, ("", end))
        return sum(
            elapsed(self.hours, since, min(until, end), stood)
            for (name, since), (_, until) in pairwise(ends)
            if name == level
        )

    def _interrupted(self, kind: Kind, before: datetime) -> list[Span]:
        """Return the spans in which it was resolved and was reopened later."""
        return [
            (was.began_at, was.ended_at)
            for was in self.incident.facts
            if was.kind == kind
            and was.began_at
            and was.ended_at
            and was.began_at < before
        ]

    def _paused(self, before: datetime) -> list[Span]:
        """Return the pauses that stop the clock under the contract."""
        names: Sequence[str] = (
            self.incident.promise.paused_by if self.incident.promise else ()
        )
        return [
            (pause.since, pause.until or max(before, pause.since))
            for pause in self.incident.pauses
            if pause.reason in names
        ]


def _answer_targets(policy: Policy, contract: str) -> Mapping[Channel, timedelta]:
    """Return the targets for answering contacts; empty if unknown."""
    try:
        return policy.targets[policy.contract(contract).targets].answer
    except LookupError:
        return {}


def timed(incident: IncidentState, policies: Policies) -> TimedIncident:
    """Return how to measure an incident; around the clock without a contract."""
    promise = incident.promise
    policy = policies.get(promise.policy) if promise else None
    if promise is None or policy is None:
        return TimedIncident(incident, ALWAYS, {})
    calendar = policy.calendars.get(promise.calendar)
    answer = _answer_targets(policy, promise.contract)
    return TimedIncident(
        incident,
        hours_of(calendar) if calendar else ALWAYS,
        {channel: int(limit.total_seconds()) for channel, limit in answer.items()},
    )
