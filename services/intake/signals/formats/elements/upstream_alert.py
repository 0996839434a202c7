"""What a foreign system told of one trouble, and the signal that fits our limits.

What an adapter is told beside the document: who sent it, when, and how.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from services.intake.signals.formats.elements.fields import (
    details_text,
    fitting_labels,
    one_line,
)
from services.intake.signals.formats.elements.severities import event_id_of, key_of
from services.intake.signals.schemas import Action, Rejected, Signal, signal_from
from shared.domain.bounded_text import EARLIEST, TITLE_MAX
from shared.domain.policy.priorities import Severity


@dataclass(frozen=True, slots=True)
class InboundDocument:
    """A document on its way in. `source` is who authenticated, never what it claims.

    `event_id` is the sender's idempotency key, if any; `zone` is that of local times in
    the document; `headers` are those its format reads, names in lower case.
    """

    source: str
    received_at: datetime
    event_id: str | None = None
    zone: tzinfo = UTC
    headers: Mapping[str, str] = field(default_factory=dict)

    def id_of(self, index: int) -> str | None:
        """Return the event id of an element that names itself not."""
        return self.event_id and f"{self.event_id}/{index}"


_NAMELESS = "an alert without a name"


@dataclass(frozen=True, slots=True)
class UpstreamAlert:
    """One trouble in the words of its system: any length, any characters.

    `key` are the parts that name the trouble, `event_id` those that name the message.
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
    """Return the signal: what is too long is cut, since nobody will send it again.

    Rejected is only what lies more than a day ahead. An instant before the year 2000
    is how some systems write that there is none.
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
    """Return that an element cannot be taken without the field `name`."""
    return Rejected(index, f"`{name}` is missing: {remedy}", (name,))
