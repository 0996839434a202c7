"""Reads and writes the state of metrics, many records at a time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from services.projections.log_queries import policies
from services.projections.metrics.incident_state import (
    IncidentState,
    RecordState,
    State,
)
from services.projections.metrics.projection import record_of, step
from services.projections.metrics.promises import Policies
from services.projections.metrics.tables import FACTS, RECORDS, TYPES, FactRow, rows
from shared.domain.identifiers import is_incident_ref
from shared.eventlog.entry import Entry

Cursors = Cursor[tuple[Any, ...]]

COPIED = f"{RECORDS} (record, state)"
COPIED_TYPES = ("text", "jsonb")
_LIVES: TypeAdapter[IncidentState] = TypeAdapter(IncidentState)
_MATTERS: TypeAdapter[RecordState] = TypeAdapter(RecordState)
_LOAD = "SELECT record, state::text FROM {}.records WHERE record = ANY(%b)"
_REMEMBER = """
INSERT INTO {}.records SELECT * FROM unnest(%b::text[], %b::jsonb[])
ON CONFLICT (record) DO UPDATE SET state = excluded.state
"""
_ARRAYS = ", ".join(f"%b::{type_}[]" for type_ in TYPES)
_SET = ", ".join(f"{name} = excluded.{name}" for name in FactRow._fields[3:])
_SAVE = (
    f"INSERT INTO {{}}.{FACTS} SELECT * FROM unnest({_ARRAYS})"  # noqa: S608 # our own names
    f" ON CONFLICT (record, kind, number) DO UPDATE SET {_SET}"
)


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
    if now:
        arrays = [list(values) for values in zip(*map(columns, now), strict=True)]
        cursor.execute(_REMEMBER.format(schema), arrays)
        _save(cursor, schema, held, now)


def columns(state: State) -> tuple[str, Jsonb]:
    """Return the state of a record in its stored form."""
    adapter: TypeAdapter[Any] = _LIVES if isinstance(state, IncidentState) else _MATTERS
    return (state.record, Jsonb(adapter.dump_python(state, mode="json"), orjson.dumps))


def finish(cursor: Cursors, schema: str, states: Sequence[State]) -> None:
    """Insert the facts of `states` after the states themselves were copied."""
    held = _policies(cursor, states)
    into = f"COPY {schema}.{FACTS} FROM STDIN (FORMAT BINARY)"
    with cursor.copy(into) as copy:
        copy.set_types(TYPES)
        for state in states:
            for row in rows(state, held):
                copy.write_row(row)


def _load(cursor: Cursors, schema: str, records: Sequence[str]) -> Mapping[str, State]:
    if not records:
        return {}
    found = cursor.execute(_LOAD.format(schema), (list(records),))
    return {record: remembered(record, state) for record, state in found}


def remembered(record: str, state: str | bytes) -> State:
    """Return a record from its stored form."""
    adapter: TypeAdapter[Any] = _LIVES if is_incident_ref(record) else _MATTERS
    read: State = adapter.validate_json(state)
    return read


def _save(
    cursor: Cursors, schema: str, held: Mapping[str, State], now: Sequence[State]
) -> None:
    """Write the rows that changed; rows are never deleted."""
    before = [held[state.record] for state in now if state.record in held]
    known = _policies(cursor, [*now, *before])
    was = {row for state in before for row in rows(state, known)}
    fresh = [row for state in now for row in rows(state, known) if row not in was]
    if fresh:
        arrays = [list(values) for values in zip(*fresh, strict=True)]
        cursor.execute(_SAVE.format(schema), arrays)


def _policies(cursor: Cursors, states: Iterable[State]) -> Policies:
    """Return the policies of these records' promises, by version."""
    versions = {
        state.promise.policy
        for state in states
        if isinstance(state, IncidentState) and state.promise
    }
    return policies(cursor, versions)
