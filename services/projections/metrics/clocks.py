"""Measures an incident by the hours and the pauses it was promised."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from services.projections.metrics.life import Fact, Kind, Life
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import Channel
from shared.domain.working_time import ALWAYS, Hours, Span, elapsed, hours_of

Policies = Mapping[int, Policy]
"""Policies by version."""


class Clocks(NamedTuple):
    """What it takes to measure an incident."""

    life: Life
    hours: Hours
    answer_seconds: Mapping[str, int]
    """Until a contact is to be answered, by channel."""

    def measured(self, fact: Fact) -> tuple[int | None, int | None]:
        """Return working and wall-clock seconds that a fact tells of, if any."""
        start = self.life.reported_at
        match fact:
            case Fact(kind="waiting", word="first", ended="acknowledged", ended_at=at):
                if at is not None:
                    return elapsed(self.hours, start, at), elapsed(ALWAYS, start, at)
            case Fact(kind="restored" | "resolved", began_at=at):
                if at is not None:
                    over = self._over(fact.kind, at)
                    stood = [*over, *self._paused(at)]
                    working = elapsed(self.hours, start, at, stood)
                    return working, elapsed(ALWAYS, start, at, over)
            case Fact(kind="dwell", ended_at=at) if at is not None:
                return self._held(fact.word, at), None
        return None, None

    def answered(self, fact: Fact) -> str:
        """Return whether a contact was answered in time."""
        target = self.answer_seconds.get(fact.word)
        if fact.ended:
            return fact.ended
        if fact.waited is None:
            return "unknown"
        if target is None:
            return "without_target"
        return "in_time" if fact.waited <= target else "late"

    def _held(self, level: str, end: datetime) -> int:
        """Return what a level consumed of TTR; all levels make the whole."""
        promise = self.life.promise
        over = self._over("resolved", end)
        if promise is None or promise.stops_at == "restored":
            over += self._over("restored", end)
        stood = [*over, *self._paused(end)]
        turns = [("n1", self.life.reported_at)]
        turns += [(entered.level, entered.at) for entered in self.life.levels]
        ends = (*turns, ("", end))
        return sum(
            elapsed(self.hours, since, min(until, end), stood)
            for (name, since), (_, until) in pairwise(ends)
            if name == level
        )

    def _over(self, kind: Kind, before: datetime) -> list[Span]:
        """Return when it was taken to be over, and was not."""
        return [
            (was.began_at, was.ended_at)
            for was in self.life.facts
            if was.kind == kind
            and was.began_at
            and was.ended_at
            and was.began_at < before
        ]

    def _paused(self, before: datetime) -> list[Span]:
        """Return the pauses that the contract names."""
        names: Sequence[str] = self.life.promise.paused_by if self.life.promise else ()
        return [
            (pause.since, pause.until or max(before, pause.since))
            for pause in self.life.pauses
            if pause.reason in names
        ]


def _answer(policy: Policy, contract: str) -> Mapping[Channel, timedelta]:
    """Return until when contacts are to be answered; none where it is not known."""
    try:
        return policy.targets[policy.contract(contract).targets].answer
    except LookupError:
        return {}


def clocks(life: Life, policies: Policies) -> Clocks:
    """Return how to measure an incident; without a contract around the clock."""
    promise = life.promise
    policy = policies.get(promise.policy) if promise else None
    if promise is None or policy is None:
        return Clocks(life, ALWAYS, {})
    calendar = policy.calendars.get(promise.calendar)
    answer = _answer(policy, promise.contract)
    return Clocks(
        life,
        hours_of(calendar) if calendar else ALWAYS,
        {channel: int(limit.total_seconds()) for channel, limit in answer.items()},
    )
