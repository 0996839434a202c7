"""Reads all events about an incident, up to now or to an earlier instant."""

from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.projections.api.query_params import behind, no_incident
from services.projections.generations import AsOf
from services.projections.log_queries import all_about, known_at
from shared.domain.identifiers import incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog


def known(
    cursor: Cursor[tuple[Any, ...]], at: datetime | None, min_position: int
) -> AsOf:
    """Return up to where the answer may use the log; `HttpError` 503 if not enough."""
    upto = known_at(cursor, at)
    if at is None and upto.position < min_position:
        raise behind("the log", upto.position, min_position)
    return upto


def history(
    log: EventLog, cursor: Cursor[tuple[Any, ...]], ref: str, upto: AsOf
) -> list[Entry]:
    """Return the events about an incident up to a position, from all streams, in order.

    Raises `HttpError` 404 if its own stream has none.
    """
    entries = all_about(log, cursor, ref)
    past = [entry for entry in entries if entry.position <= upto.position]
    if not any(entry.stream == incident_stream(ref) for entry in past):
        raise no_incident(ref, is_later=bool(entries))
    return past
