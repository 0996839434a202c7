"""Verifies the whole log in bounded memory, page by page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.projections.audit.documents import verify_documents
from services.projections.audit.walk import Anchor, Finding, Walk
from services.projections.generations import find_live
from services.projections.read_models import MODELS
from shared.event_log import PAGE_MAX, EventLog

_ANCHOR = "SELECT position, chain FROM {schema}.tracking WHERE position > 0"
_MISCOUNTED = """
SELECT originator_id, min(notification_id) FROM log.events
GROUP BY originator_id HAVING count(*) <> max(originator_version)
ORDER BY 2 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was walked: `events` up to the head, whose hash is `chain`, in hex.

    `documents` are those that events name and that are there as named.
    """

    events: int
    chain: str
    anchors: int
    documents: int
    finding: Finding | None


def verify(log: EventLog, told: Callable[[int, int], None]) -> Verified:
    """Walk the log from its first event; `told` hears how far of how much. Blocks.

    Ends at the first event that is wrong: all later ones hang on it.
    """
    head = log.head().position
    walk = Walk(anchors(log))
    finding: Finding | None = None
    documents = 0
    while finding is None:
        rows = log.rows_since(walk.position, PAGE_MAX)
        if not rows:
            finding = walk.end() or _miscounted(log)
            if finding is None:
                documents, finding = verify_documents(log)
            break
        for row in rows:
            finding = walk.step(row)
            if finding is not None:
                break
        told(walk.position, max(head, walk.position))
    return Verified(
        walk.position, walk.chain.hex(), len(walk.anchors), documents, finding
    )


def anchors(log: EventLog) -> Mapping[int, Anchor]:
    """Return what the read models remember: the hash of the event each applied last."""
    found: dict[int, Anchor] = {}
    with log.transaction() as cursor:
        for name in MODELS:
            live = find_live(cursor, name)
            if live is None:
                continue
            query = _ANCHOR.format(schema=live.schema)
            for position, chain in cursor.execute(query).fetchall():
                whose = f"the read model {name}"
                found[position] = Anchor(position, bytes(chain), whose)
    return found


def _miscounted(log: EventLog) -> Finding | None:
    with log.transaction() as cursor:
        row = cursor.execute(_MISCOUNTED).fetchone()
    if row is None:
        return None
    return Finding(
        row[1], "versions", f"versions of {row[0]} are missing: events were deleted"
    )
