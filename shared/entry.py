"""An event and its place in the log. What readers, auditors and NATS get."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.events import AnyEvent


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    `position` is gapless over the whole log from 1, `version` within `stream` from 1;
    `recorded_at` never decreases with `position`.
    """

    position: int
    stream: str
    version: int
    type: str
    recorded_at: datetime
    command_id: UUID | None
    event: AnyEvent
