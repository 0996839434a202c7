"""What an adapter is told beside the document: who sent it, when, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True, slots=True)
class Post:
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
