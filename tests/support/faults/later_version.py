"""What a later version writes, and this one cannot read until it is upgraded."""

from collections.abc import MutableMapping
from typing import Literal, cast

import orjson

from shared.domain.events import EVENT_TYPES
from shared.domain.events.event import Event
from shared.domain.events.incident import IncidentInformed
from shared.domain.identifiers import about
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import PendingEvent

UNKNOWN = "incident.rebranded"


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


def upgraded() -> tuple[MutableMapping[str, type[Event]], str, type[Event]]:
    """Return what `monkeypatch.setitem` needs to make the type known."""
    types = cast("MutableMapping[str, type[Event]]", EVENT_TYPES)
    return types, UNKNOWN, IncidentRebranded


def _sealed(owner: EventLog, stream: str, version: int) -> str:
    words = orjson.dumps("as a later version says it")
    return owner.vault.seal("person:nadia", words, f"{stream}|{version}|message")
