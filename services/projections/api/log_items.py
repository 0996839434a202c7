"""Events as auditors read them: each with its place in the log and its hash."""

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime

from services.projections.api.answers import Answer, AsOfAnswer
from shared.eventlog.entry import Entry
from shared.eventlog.log import Row


class LogItem(Answer):
    """An event and its place. `event` is opened and in today's shape."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: AwareDatetime
    command_id: UUID | None
    chain: str
    """SHA-256 over this event as stored and the hash before it, in hex."""
    event: dict[str, Any]


class LogPage(Answer):
    """Part of the log, oldest first."""

    items: list[LogItem]
    next_after: int | None
    """Where the next part begins, also when nothing was found here; none at the end."""
    as_of: AsOfAnswer


def item(row: Row, entry: Entry) -> LogItem:
    """Return a stored row, and the entry read from it, as an item."""
    return LogItem(
        position=row.position,
        stream=row.stream,
        version=row.version,
        type=row.type,
        recorded_at=row.recorded_at,
        command_id=row.command_id,
        chain=row.chain.hex(),
        event=entry.event.model_dump(mode="json", exclude_none=True),
    )
