"""The escalation service, wired. It follows the log; what it decides comes later."""

import asyncio
from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from psycopg import Cursor

from shared.clock import Clock
from shared.entry import Entry
from shared.event_log import EventLog
from shared.following import Following, follow
from shared.settings import EscalationSettings
from shared.tracking import Bookmark

BOOKMARK = Bookmark("escalation", "escalation")


def assemble(_log: EventLog, _clock: Clock, _registry: CollectorRegistry) -> Following:
    """Return what the service does with the log."""
    return Following(apply)


def apply(_cursor: Cursor[tuple[Any, ...]], _entries: Sequence[Entry]) -> None:
    """Change nothing yet but the tracked position, which the reader moves."""


async def run(settings: EscalationSettings, stop: asyncio.Event) -> None:
    """Run the service until `stop` is set."""
    await follow(settings, BOOKMARK, assemble, stop)
