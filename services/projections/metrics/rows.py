"""A record's facts as rows: grouped as it is known now, measured by its calendar."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.projections.metrics.life import Fact, Life, Matter, State
from shared.policy.document import Policy
from shared.working_time import ALWAYS, Hours, Span, elapsed, hours_of

Policies = Mapping[int, Policy]
"""Policies by version."""

_MEASURED_AT_BEGIN = frozenset({"restored", "resolved"})


class FactRow(NamedTuple):
    """A fact as stored; field order is column order.

    `working` and `wall` are seconds, None where nothing is measured.
    """

    record: str
    kind: str
    number: int
    since: datetime
    until: datetime | None
    word: str
    ended: str | None
    working: int | None
    wall: int | None
    service: str | None
    client: str | None
    priority: str | None
    team: str | None
    category: str | None
    channel: str | None
    via: str | None


TYPES = (
    *("text", "text", "int4", "timestamptz", "timestamptz", "text", "text"),
    *("int4", "int4"),
    *("text",) * 7,
)


def rows(state: State, policies: Policies) -> Iterator[FactRow]:
    """Return the rows of a record."""
    clocks = _clocks(state, policies) if isinstance(state, Life) else None
    via = state.via if isinstance(state, Matter) else None
    dims = state.dims
    for fact in state.facts:
        working, wall = clocks.measured(fact) if clocks else (None, None)
        yield FactRow(
            state.record,
            fact.kind,
            fact.number,
            fact.since,
            fact.until,
            fact.word,
            clocks.answered(fact) if clocks and fact.kind == "contact" else fact.ended,
            working,
            wall,
            dims.service,
            dims.client,
            dims.priority,
            dims.team,
            dims.category,
            dims.channel,
            via,
        )


class _Clocks(NamedTuple):
    """What it takes to measure an incident."""

    life: Life
    hours: Hours
    paused_by: Sequence[str]
    answer_seconds: dict[str, int]
    """Until a contact is to be answered, by channel."""

    def measured(self, fact: Fact) -> tuple[int | None, int | None]:
        """Return working and wall-clock seconds from the report to the fact."""
        start, life = self.life.reported_at, self.life
        if fact.kind == "waiting" and fact.ended == "acknowledged" and fact.ended_at:
            if fact.word != "first":
                return None, None
            return (
                elapsed(self.hours, start, fact.ended_at),
                elapsed(ALWAYS, start, fact.ended_at),
            )
        if fact.kind not in _MEASURED_AT_BEGIN or fact.began_at is None:
            return None, None
        at = fact.began_at
        over = [
            (was.began_at, was.ended_at)
            for was in life.facts
            if was.kind == fact.kind
            and was.number < fact.number
            and was.began_at
            and was.ended_at
        ]
        stood: list[Span] = [
            (pause.since, pause.until or at)
            for pause in life.pauses
            if pause.reason in self.paused_by
        ]
        return (
            elapsed(self.hours, start, at, [*over, *stood]),
            elapsed(ALWAYS, start, at, over),
        )

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


def _clocks(life: Life, policies: Policies) -> _Clocks:
    """Without a contract: around the clock, and nothing stops it."""
    promise = life.promise
    policy = policies.get(promise.policy) if promise else None
    if promise is None or policy is None:
        return _Clocks(life, ALWAYS, (), {})
    calendar = policy.calendars.get(promise.calendar)
    contract = policy.contracts.get(promise.contract)
    targets = policy.targets.get(contract.targets) if contract else None
    answer = targets.answer if targets else {}
    return _Clocks(
        life,
        hours_of(calendar) if calendar else ALWAYS,
        promise.paused_by,
        {channel: int(limit.total_seconds()) for channel, limit in answer.items()},
    )
