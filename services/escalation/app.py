"""The escalation service, wired. It follows the log; what it decides comes later."""

import asyncio
from collections.abc import Sequence
from typing import Any

from psycopg import Cursor

from shared.entry import Entry
from shared.following import follow
from shared.settings import EscalationSettings
from shared.tracking import Bookmark

BOOKMARK = Bookmark("escalation", "escalation")


def apply(_cursor: Cursor[tuple[Any, ...]], _entries: Sequence[Entry]) -> None:
    """Change nothing yet but the tracked position, which the reader moves."""


async def run(settings: EscalationSettings, stop: asyncio.Event) -> None:
    """Run the service until `stop` is set."""
    await follow(settings, BOOKMARK, apply, stop)
