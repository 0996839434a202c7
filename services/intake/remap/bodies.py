"""The bodies a source has posted, some at a time, with what was refused of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from services.intake.quarantine.reread import Kept
from services.intake.raw_store import opened, opened_headers
from services.intake.remap.comparing import Past
from shared.eventlog.log import EventLog
from shared.vault.vault import VaultError

CHUNK = 50
"""Bodies held at once, of at most half a megabyte each."""

_BETWEEN = """
source = %(source)s
AND received_at >= %(since)s AND received_at < %(until)s
AND day BETWEEN %(first)s AND %(last)s
"""
_COUNT = f"SELECT count(*) FROM intake.raw_bodies WHERE {_BETWEEN}"  # noqa: S608 # our own names
_READ = f"""
SELECT digest, day, adapter, received_at, sealed, headers FROM intake.raw_bodies
WHERE {_BETWEEN} AND (day, digest) > (%(day)s, %(digest)s)
ORDER BY day, digest LIMIT {CHUNK}
"""  # noqa: S608 # our own names
_REFUSED = """
SELECT digest, element, reason, elements FROM intake.quarantine
WHERE source = %s AND digest = ANY(%s)
"""
_BEFORE_ALL = (date(1, 1, 1), b"")


@dataclass(frozen=True, slots=True)
class Span:
    """Of which source, and received when: `until` is not in it."""

    source: str
    since: datetime
    until: datetime

    def asked(self) -> dict[str, Any]:
        """Return the span as parameters; the days let whole partitions be left out."""
        return {
            "source": self.source,
            "since": self.since,
            "until": self.until,
            "first": self.since.astimezone(UTC).date(),
            "last": self.until.astimezone(UTC).date(),
        }


def counted(log: EventLog, span: Span) -> int:
    """Return how many bodies there are."""
    with log.transaction() as cursor:
        row = cursor.execute(_COUNT, span.asked()).fetchone()
    return int(row[0]) if row else 0


def past_bodies(log: EventLog, span: Span) -> Iterator[tuple[str, Past | None]]:
    """Yield each digest with its body; None for what cannot be opened.

    It was forgotten with its source, its key is missing, or it was changed.
    """
    day, digest = _BEFORE_ALL
    while True:
        asked = span.asked() | {"day": day, "digest": digest}
        with log.transaction() as cursor:
            found = cursor.execute(_READ, asked).fetchall()
            digests = [row[0] for row in found]
            rows = cursor.execute(_REFUSED, (span.source, digests)).fetchall()
        for row in found:
            refused = [each for each in rows if each[0] == row[0]]
            yield row[0].hex(), _past(log, span.source, row, refused)
        if len(found) < CHUNK:
            return
        day, digest = found[-1][1], found[-1][0]


def _past(
    log: EventLog, source: str, row: tuple[Any, ...], refused: Sequence[Any]
) -> Past | None:
    try:
        body = opened(log.vault, row[0], row[4])
        headers = opened_headers(log.vault, row[0], row[5])
    except VaultError:
        return None
    if body is None:
        return None
    return Past(
        Kept(0, source, row[2], row[3], 0, 1, body, headers),
        {element: reason for _, element, reason, _ in refused},
        next((reason for _, _, reason, elements in refused if elements == 1), None),
    )
