"""Instants as a person reads them: in their own zone, with its offset.

Programs read JSON, where every instant is in UTC.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from zoneinfo import ZoneInfo

in_utc: ContextVar[bool] = ContextVar("in_utc", default=False)
"""Whether the command that runs shows instants in UTC all the same."""
zone_of_reader: ContextVar[Callable[[], str | None] | None] = ContextVar(
    "zone_of_reader", default=None
)
"""Returns the zone of the one who asks; asked only if an instant is shown."""

_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z")


def shown_in(zone: Callable[[], str | None] | str) -> None:
    """Show the instants of this command in a zone."""
    zone_of_reader.set((lambda: zone) if isinstance(zone, str) else zone)


def localised(text: str) -> str:
    """Return a text with its instants in the zone of the reader."""
    return _INSTANT.sub(_local, text)


def _local(found: re.Match[str]) -> str:
    source = zone_of_reader.get()
    zone = source() if source and not in_utc.get() else None
    if zone is None:
        return found[0]
    return instant_in(zone, datetime.fromisoformat(found[0]))


def instant_in(zone: str, at: datetime) -> str:
    """Return an instant on the clocks of a zone, as options of commands take it."""
    local = at.astimezone(ZoneInfo(zone)).replace(microsecond=0).isoformat()
    return local.replace("+00:00", "Z") if zone == "UTC" else local
