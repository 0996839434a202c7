"""The sla_watcher service, wired. It follows the log; what it decides comes later."""

import asyncio
from collections.abc import Sequence
from typing import Any

from psycopg import Cursor

from shared.entry import Entry
from shared.following import follow
from shared.settings import SlaWatcherSettings
from shared.tracking import Bookmark

BOOKMARK = Bookmark("sla", "sla_watcher")


def apply(_cursor: Cursor[tuple[Any, ...]], _entries: Sequence[Entry]) -> None:
    """Change nothing yet but the tracked position, which the reader moves."""


async def run(settings: SlaWatcherSettings, stop: asyncio.Event) -> None:
    """Run the service until `stop` is set."""
    await follow(settings, BOOKMARK, apply, stop)
