"""The tables of the metrics: the state of each record, and its facts as rows.

A row has the current dimensions of its record, and durations by its calendar. Facts of
all kinds are in one table: a period is a range of one of its two indexes, and
PostgreSQL does the counting.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from services.projections.metrics.durations import Policies, timed
from services.projections.metrics.state import IncidentState, RecordState, State
from shared.database.table import Column, Int4, Table, columns_of


class FactRow(NamedTuple):
    """A stored fact.

    `working` and `wall` are seconds, None if nothing is measured.
    """

    record: str
    kind: str
    number: Int4
    since: datetime
    until: datetime | None
    word: str
    ended: str | None
    working: Int4 | None
    wall: Int4 | None
    service: str | None
    client: str | None
    priority: str | None
    team: str | None
    category: str | None
    channel: str | None
    via: str | None


RECORDS = Table(
    "records",
    columns=(Column("record", "text"), Column("state", "jsonb")),
    key=("record",),
    fillfactor=85,
)
FACTS = Table(
    "facts",
    columns=columns_of(FactRow),
    key=("record", "kind", "number"),
    fillfactor=85,
)


def rows(state: State, policies: Policies) -> Iterator[FactRow]:
    """Return the rows of a record."""
    incident = timed(state, policies) if isinstance(state, IncidentState) else None
    via = state.via if isinstance(state, RecordState) else None
    dims = state.dims
    for fact in state.facts:
        working, wall = incident.duration(fact) if incident else (None, None)
        yield FactRow(
            state.record,
            fact.kind,
            fact.number,
            fact.since,
            fact.until,
            fact.word,
            incident.answer(fact)
            if incident and fact.kind == "contact"
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


def tables(schema: str) -> Sequence[str]:
    """Return the statements that create the tables, to run before inserting rows."""
    return (RECORDS.create_statement(schema), FACTS.create_statement(schema))


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that create the indexes, to run after inserting rows."""
    facts = f"{schema}.{FACTS.name}"
    return (
        RECORDS.key_statement(schema),
        FACTS.key_statement(schema),
        f"CREATE INDEX begun ON {facts} (kind, since) INCLUDE (until, word, ended)",
        # NULLs are at its end: intervals that have not ended.
        f"CREATE INDEX over ON {facts} (kind, until, since) INCLUDE (ended)",
        f"ANALYZE {facts}, {schema}.{RECORDS.name}",
    )
