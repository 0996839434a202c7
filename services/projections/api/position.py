"""Up to which position of the log an answer knows, and what it then reads."""

from datetime import datetime
from typing import Any

from services.projections.api.limits import RETRY_SECONDS
from services.projections.generations import AsOf, ReadModel, as_of, live
from services.projections.history.past import Past, past_of
from services.projections.log_queries import all_about, known_at
from services.projections.sight import Sight
from shared.database.cursors import Cursors
from shared.domain.identifiers import incident_stream
from shared.eventlog.histories import Unreadable
from shared.eventlog.log import EventLog
from shared.eventlog.unreadable import UnreadableEvent
from shared.http.error_responses import UNREADABLE_SECONDS
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


def history(log: EventLog, cursor: Cursors, ref: str, upto: AsOf, sight: Sight) -> Past:
    """Return what can be read of an incident's past up to a position.

    Raises `HttpError` 404 if its own stream has no event up to then, or if it is out of
    `sight`; 503 if its first event cannot be read, since nothing is known without it.
    """
    read = all_about(log, cursor, ref)
    readable = [entry for _, entry in read if not isinstance(entry, Unreadable)]
    if len(readable) < len(read):
        require_seen(log, cursor, sight, ref)  # it may have moved meanwhile
    elif sight.within is not None and not sight.sees(place_of(readable)):
        raise no_incident(ref)
    past = past_of(each for each in read if each[0].position <= upto.position)
    for event in past.unreadable:
        if not event.skipped:
            log.unreadable.failed(event.position, event.why)
    if past.state.incident is None:
        own = incident_stream(ref)
        for event in past.unreadable:
            if event.stream == own:
                raise _unreadable(event)
        raise no_incident(ref, is_later=any(row.stream == own for row, _ in read))
    return past


def _unreadable(event: UnreadableEvent) -> HttpError:
    """Return the 503 for an incident whose opening cannot be read."""
    return HttpError(
        503,
        f"an event cannot be read at present, {event.text}; ask again later",
        code="record_unreadable",
        retry_after=UNREADABLE_SECONDS,
    )


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
