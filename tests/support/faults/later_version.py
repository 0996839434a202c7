"""What a later version writes; this one cannot read it, and may be told to skip it."""

from collections.abc import MutableMapping
from typing import Literal, cast

import orjson

from shared.database.cursors import Cursors
from shared.domain.events import EVENT_TYPES
from shared.domain.events.event import Event
from shared.domain.events.incident import IncidentInformed
from shared.domain.identifiers import about
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_commands import home_of
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.recorder import PendingEvent

UNKNOWN = "incident.rebranded"
_SKIPPED = """
WITH asked AS (
    INSERT INTO {home}.parked_requests (reader, stream, action, requested_by, reason,
                                        answered_at, outcome)
    VALUES (%(reader)s, %(stream)s, 'skip', 'ann', 'of no use', now(), 'skipped')
    RETURNING request_id)
INSERT INTO {home}.skipped (request_id, reader, position, stream, error, parked_at,
                            skipped_by, role, reason)
SELECT request_id, %(reader)s, %(position)s, %(stream)s, 'UnknownEvent', now(), 'ann',
       'desk_admin', 'of no use' FROM asked
"""


class IncidentRebranded(IncidentInformed):
    """An event type of a later version; it changes nothing that rules look at."""

    type: Literal["incident.rebranded"] = UNKNOWN  # type: ignore[assignment] # a type of its own


def write_unknown(owner: EventLog, stream: str) -> int:
    """Append an event of a type unknown here to a stream; return its version."""
    version = owner.head_version(stream) + 1
    state = orjson.dumps(
        {
            "type": UNKNOWN,
            "incident": about(stream) or "INC-000001",
            "at": owner.head().recorded_at,
            "by": "person:nadia",
            "policy": 1,
            "message": {"sealed": _sealed(owner, stream, version)},
        }
    )
    written = PendingEvent(stream, version, UNKNOWN, state)
    with owner.transaction() as cursor:
        (outcome,) = owner.append(cursor, [AppendUnit((written,))])
    assert isinstance(outcome, Recorded), outcome
    return version


def record_skipped(cursor: Cursors, bookmark: Bookmark, event: tuple[str, int]) -> None:
    """Record, as the owner, that a reader skipped an event: its stream and position."""
    stream, position = event
    given = {"reader": bookmark.reader, "stream": stream, "position": position}
    cursor.execute(_SKIPPED.format(home=home_of(bookmark)), given)


def upgraded() -> tuple[MutableMapping[str, type[Event]], str, type[Event]]:
    """Return what `monkeypatch.setitem` needs to make the type known."""
    types = cast("MutableMapping[str, type[Event]]", EVENT_TYPES)
    return types, UNKNOWN, IncidentRebranded


def _sealed(owner: EventLog, stream: str, version: int) -> str:
    words = orjson.dumps("as a later version says it")
    return owner.vault.seal("person:nadia", words, f"{stream}|{version}|message")
