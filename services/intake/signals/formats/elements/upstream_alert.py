"""An alert in the terms of its own system, and its conversion into a signal.

A key is never rejected for its length or characters: its digest is used instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from hashlib import sha256

from services.intake.records.signal import DEDUP_KEY_MAX, EVENT_ID_MAX, Action, Signal
from services.intake.signals.formats.elements.fields import (
    details_text,
    fitting_labels,
    one_line,
)
from services.intake.signals.schemas import Rejected, signal_from
from shared.domain.bounded_text import EARLIEST, TITLE_MAX
from shared.domain.policy.priorities import Severity


def key_of(*parts: str) -> str:
    """Return the dedup key for these parts; different parts give different keys."""
    return _fitting(_joined(parts), DEDUP_KEY_MAX)


def event_id_of(*parts: str) -> str:
    """Return the event id for these parts; different parts give different ids."""
    return _fitting(_joined(parts), EVENT_ID_MAX)


def _joined(parts: tuple[str, ...]) -> str:
    if len(parts) == 1:
        return parts[0]
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def _fitting(key: str, most: int) -> str:
    if 0 < len(key) <= most and key.isprintable():
        return key
    return f"sha256:{sha256(key.encode(errors='backslashreplace')).hexdigest()}"


@dataclass(frozen=True, slots=True)
class InboundDocument:
    """A document to be read; `source` is the authenticated sender.

    `event_id` is the sender's idempotency key, if any; `zone` applies to local times in
    the document; `headers` are those that the format reads, with names in lower case.
    """

    source: str
    received_at: datetime
    event_id: str | None = None
    zone: tzinfo = UTC
    headers: Mapping[str, str] = field(default_factory=dict)

    def id_of(self, index: int) -> str | None:
        """Return the event id for an element without an id."""
        return self.event_id and f"{self.event_id}/{index}"


_NAMELESS = "an alert without a name"


@dataclass(frozen=True, slots=True)
class UpstreamAlert:
    """An alert in the terms of its own system: any length, any characters.

    The parts of `key` identify the problem, the parts of `event_id` the message.
    """

    key: tuple[str, ...]
    action: Action
    title: str | None
    severity: Severity | None = None
    at: datetime | None = None
    event_id: tuple[str, ...] = ()
    labels: Mapping[str, object] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


def signal_of(
    told: UpstreamAlert, post: InboundDocument, index: int = 0
) -> Signal | Rejected:
    """Return the signal; overlong texts are cut, since nobody will resend them.

    Only an instant more than a day ahead is rejected. Some systems write
    an instant before the year 2000 to say that it is unknown.
    """
    event_id = event_id_of(*told.event_id) if told.event_id else post.id_of(index)
    fields = {
        "source": post.source,
        "event_id": event_id,
        "dedup_key": key_of(*told.key),
        "action": told.action,
        "title": one_line(told.title or "", TITLE_MAX) or _NAMELESS,
        "severity": told.severity,
        "occurred_at": told.at if told.at and told.at >= EARLIEST else None,
        "labels": fitting_labels(told.labels),
        "details": details_text(told.details) if told.details else None,
    }
    return signal_from(fields, index, post.received_at)


def missing(index: int, name: str, remedy: str) -> Rejected:
    """Return the rejection of an element that lacks the required field `name`."""
    return Rejected(index, f"`{name}` is missing: {remedy}", (name,))
