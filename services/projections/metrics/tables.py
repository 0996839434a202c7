"""The tables of the metrics: the state of each record, and its facts as rows.

A row has the current dimensions of its record, and durations by its calendar. Facts of
all kinds are in one table: a period is a range of one of its two indexes, and
PostgreSQL does the counting.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from services.projections.metrics.incident_state import (
    IncidentState,
    RecordState,
    State,
)
from services.projections.metrics.promises import Policies, clocks


class FactRow(NamedTuple):
    """A stored fact; the order of fields is the order of columns.

    `working` and `wall` are seconds, None if nothing is measured.
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
    measure = clocks(state, policies) if isinstance(state, IncidentState) else None
    via = state.via if isinstance(state, RecordState) else None
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


RECORDS = "records"
FACTS = "facts"
_TEXT = 'text COLLATE "C"'
_FACTS = f"""
record {_TEXT} NOT NULL, kind {_TEXT} NOT NULL, number int NOT NULL,
since timestamptz NOT NULL, until timestamptz, word {_TEXT} NOT NULL, ended {_TEXT},
working int, wall int, service {_TEXT}, client {_TEXT}, priority {_TEXT}, team {_TEXT},
category {_TEXT}, channel {_TEXT}, via {_TEXT}
"""
"""The fields of `FactRow`."""


def tables(schema: str) -> Sequence[str]:
    """Return the statements that create the tables, to run before inserting rows."""
    return (
        (
            f"CREATE TABLE {schema}.{RECORDS} (record {_TEXT} NOT NULL,"
            " state jsonb NOT NULL) WITH (fillfactor = 85)"
        ),
        f"CREATE TABLE {schema}.{FACTS} ({_FACTS}) WITH (fillfactor = 85)",
    )


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that create the indexes, to run after inserting rows."""
    facts = f"{schema}.{FACTS}"
    return (
        f"ALTER TABLE {schema}.{RECORDS} ADD PRIMARY KEY (record)",
        f"ALTER TABLE {facts} ADD PRIMARY KEY (record, kind, number)",
        f"CREATE INDEX begun ON {facts} (kind, since) INCLUDE (until, word, ended)",
        # NULLs are at its end: intervals that have not ended.
        f"CREATE INDEX over ON {facts} (kind, until, since) INCLUDE (ended)",
        f"ANALYZE {facts}",
    )
