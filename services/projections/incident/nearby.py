"""What was changed near an incident in time, on its service, as sources told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from psycopg import Cursor

from shared.vault.vault import Vault

BEFORE = timedelta(hours=24)
"""How long before an incident opened a change may have been its cause."""
AFTER = timedelta(hours=1)
"""How long after service was back a change is shown that may have brought it back."""
SHOWN_MAX = 20

_NEAR = """
SELECT change_key, happened_at, received_at, source, sealed
FROM intake.observed_changes
WHERE service = %(service)s
  AND happened_at BETWEEN %(since)s AND %(until)s AND received_at <= %(known)s
ORDER BY happened_at DESC, change_key LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class NearChange:
    """A change that a source told of; forgotten with it, it has no words."""

    at: datetime
    received_at: datetime
    source: str
    summary: str | None
    links: tuple[Mapping[str, str], ...]


def changes_near(
    cursor: Cursor[tuple[Any, ...]],
    vault: Vault,
    service: str,
    span: tuple[datetime, datetime],
    known: datetime,
) -> tuple[NearChange, ...]:
    """Return what was changed on a service in a span, as known at an instant.

    The newest first, at most `SHOWN_MAX`.
    """
    since, until = span
    asked = {
        "service": service,
        "since": since - BEFORE,
        "until": until + AFTER,
        "known": known,
        "limit": SHOWN_MAX,
    }
    rows = cursor.execute(_NEAR, asked).fetchall()
    return tuple(_change(vault, *row) for row in rows)


def _change(
    vault: Vault,
    key: bytes,
    at: datetime,
    received_at: datetime,
    source: str,
    sealed: str,
) -> NearChange:
    opened = vault.open(sealed, f"change|{key.hex()}")
    words: dict[str, Any] = orjson.loads(opened) if opened else {}
    links = tuple(words.get("links", ()))
    return NearChange(at, received_at, source, words.get("summary"), links)
