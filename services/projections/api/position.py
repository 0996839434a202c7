"""Up to which position of the log an answer knows, and what it then reads."""

from datetime import datetime
from typing import Any

from services.projections.api.limits import RETRY_SECONDS
from services.projections.generations import AsOf, ReadModel, as_of, live
from services.projections.log_queries import all_about, known_at
from services.projections.sight import Sight
from shared.database.table import Cursors
from shared.domain.identifiers import incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.http.error_responses import UNREADABLE
from shared.http.problem_details import HttpError
from shared.security.places import place_of, places


def known(cursor: Cursors, at: datetime | None, min_position: int) -> AsOf:
    """Return up to where the answer may use the log; `HttpError` 503 if not enough."""
    upto = known_at(cursor, at)
    if at is None and upto.position < min_position:
        raise behind("log", upto.position, min_position)
    return upto


def known_to(
    cursor: Cursors, model: ReadModel[Any], min_position: int
) -> tuple[str, AsOf]:
    """Return the live schema and its position; `HttpError` 503 if that is too low."""
    schema = live(cursor, model).schema
    upto = as_of(cursor, schema)
    if upto.position < min_position:
        raise behind(model.name, upto.position, min_position)
    return schema, upto


def history(
    log: EventLog, cursor: Cursors, ref: str, upto: AsOf, sight: Sight
) -> list[Entry]:
    """Return the events about an incident up to a position, from all streams, in order.

    Raises `HttpError` 404 if its own stream has none, or if it is out of `sight`, and
    what `EventLog.histories` raises of events that cannot be read.
    """
    try:
        entries = all_about(log, cursor, ref)
    except UNREADABLE:
        require_seen(log, cursor, sight, ref)  # else its events would be told of
        raise
    if sight.within is not None and not sight.sees(place_of(entries)):
        raise no_incident(ref)
    past = [entry for entry in entries if entry.position <= upto.position]
    if not any(entry.stream == incident_stream(ref) for entry in past):
        raise no_incident(ref, is_later=bool(entries))
    return past


def require_seen(log: EventLog, cursor: Cursors, sight: Sight, ref: str) -> None:
    """Raise `HttpError` 404 if an incident is out of `sight`, or does not exist."""
    if sight.within is None:
        return
    if not sight.sees(places(log, cursor, [ref]).get(ref)):
        raise no_incident(ref)


def no_incident(ref: str, *, is_later: bool = False) -> HttpError:
    """Return the 404 for an incident; `is_later`: recorded after the given instant."""
    when = " at that instant: it was recorded later" if is_later else ""
    return HttpError(404, f"there is no incident {ref}{when}", code="unknown_incident")


def behind(what: str, position: int, wanted: int) -> HttpError:
    """Return the 503 for an answer that does not include `wanted` yet."""
    return HttpError(
        503,
        f"the {what} is at position {position} and has not come to {wanted} yet: "
        "ask again",
        code="behind",
        retry_after=RETRY_SECONDS,
    )
