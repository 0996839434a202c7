"""Reads and writes the state of metrics, many records at a time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from services.projections.log_queries import policies
from services.projections.metrics.durations import Policies
from services.projections.metrics.projection import record_of, step
from services.projections.metrics.state import IncidentState, RecordState, State
from services.projections.metrics.tables import FACTS, RECORDS, rows
from shared.database.cursors import Cursors
from shared.domain.identifiers import is_incident_ref
from shared.eventlog.entry import Entry

_INCIDENTS: TypeAdapter[IncidentState] = TypeAdapter(IncidentState)
_RECORDS: TypeAdapter[RecordState] = TypeAdapter(RecordState)
_LOAD = "SELECT record, state::text FROM {}.records WHERE record = ANY(%b)"


def apply(cursor: Cursors, schema: str, entries: Sequence[Entry]) -> None:
    """Apply `entries` to the records and facts of `schema`."""
    by_entry = [(record_of(entry.stream), entry) for entry in entries]
    held = _load(cursor, schema, sorted({record for record, _ in by_entry if record}))
    states: dict[str, State | None] = {**held}
    for record, entry in by_entry:
        if record:
            states[record] = step(states.get(record), entry)
    now = [
        state
        for record, state in sorted(states.items())
        if state and state is not held.get(record)
    ]
    RECORDS.write(cursor, schema, map(columns, now))
    _write_facts(cursor, schema, held, now)


def columns(state: State) -> tuple[str, Jsonb]:
    """Return the state of a record in its stored form."""
    adapter: TypeAdapter[Any] = (
        _INCIDENTS if isinstance(state, IncidentState) else _RECORDS
    )
    return (state.record, Jsonb(adapter.dump_python(state, mode="json"), orjson.dumps))


def insert(cursor: Cursors, schema: str, states: Sequence[State]) -> None:
    """Insert the state and the facts of records of which `schema` has none."""
    RECORDS.copy(cursor, schema, map(columns, states))
    held = _policies(cursor, states)
    facts = (row for state in states for row in rows(state, held))
    FACTS.copy(cursor, schema, facts)


def _load(cursor: Cursors, schema: str, records: Sequence[str]) -> Mapping[str, State]:
    if not records:
        return {}
    found = cursor.execute(_LOAD.format(schema), (list(records),))
    return {record: from_json(record, state) for record, state in found}


def from_json(record: str, state: str | bytes) -> State:
    """Return a record from its stored form."""
    adapter: TypeAdapter[Any] = _INCIDENTS if is_incident_ref(record) else _RECORDS
    read: State = adapter.validate_json(state)
    return read


def _write_facts(
    cursor: Cursors, schema: str, held: Mapping[str, State], now: Sequence[State]
) -> None:
    """Write the rows that changed; rows are never deleted."""
    before = [held[state.record] for state in now if state.record in held]
    known = _policies(cursor, [*now, *before])
    was = {row for state in before for row in rows(state, known)}
    fresh = (row for state in now for row in rows(state, known) if row not in was)
    FACTS.write(cursor, schema, fresh)


def _policies(cursor: Cursors, states: Iterable[State]) -> Policies:
    """Return the policies of these records' promises, by version."""
    versions = {
        state.promise.policy
        for state in states
        if isinstance(state, IncidentState) and state.promise
    }
    return policies(cursor, versions)
