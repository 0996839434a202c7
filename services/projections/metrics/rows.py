"""A record's facts as rows: grouped as it is known now, measured by its calendar."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from services.projections.metrics.clocks import Policies, clocks
from services.projections.metrics.life import Life, Matter, State


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
    measure = clocks(state, policies) if isinstance(state, Life) else None
    via = state.via if isinstance(state, Matter) else None
    dims = state.dims
    for fact in state.facts:
        working, wall = measure.measured(fact) if measure else (None, None)
        yield FactRow(
            state.record,
            fact.kind,
            fact.number,
            fact.since,
            fact.until,
            fact.word,
            measure.answered(fact)
            if measure and fact.kind == "contact"
            else fact.ended,
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
