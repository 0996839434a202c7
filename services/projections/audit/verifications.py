"""Verifies a part of the chain on demand, and keeps what was found.

A part is verified from the hash of the event before it. So it proves that nothing in it
was changed since then; the whole log is whole if the parts leave no gap between them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.projections.audit.walk import Finding, Walk
from shared.database.cursors import Cursors
from shared.eventlog.entry import GENESIS
from shared.eventlog.log import PAGE_MAX, EventLog, Row

VERIFIED_MAX = 50_000
"""The maximum number of events of one verification: about a second of work."""


@dataclass(frozen=True, slots=True)
class PartVerified:
    """The events after `after` up to `upto`, whose last hash is `chain`.

    With a finding, `upto` is the last event before it.
    """

    after: int
    upto: int
    chain: bytes
    finding: Finding | None


def verify_part(log: EventLog, after: int, upto: int) -> PartVerified:
    """Verify the events after a position up to another one, at most so many. Blocks.

    Raises `LookupError` if the log does not contain the event at `after`.
    """
    upto = min(upto, after + VERIFIED_MAX)
    walk = _begun(log, after)
    finding = None
    while walk.position < upto and finding is None:
        rows = log.rows_since(walk.position, min(PAGE_MAX, upto - walk.position))
        if not rows:
            break
        finding = _stepped(walk, rows)
    return PartVerified(after, walk.position, walk.chain, finding)


def _begun(log: EventLog, after: int) -> Walk:
    if after == 0:
        return Walk((), 0, GENESIS)
    rows = log.rows_since(after - 1, 1)
    if not rows or rows[0].position != after:
        raise LookupError(f"the log does not contain an event at {after}")
    return Walk((), after, rows[0].chain, rows[0].recorded_at)


def _stepped(walk: Walk, rows: list[Row]) -> Finding | None:
    for row in rows:
        if finding := walk.step(row):
            return finding
    return None


class Verification(NamedTuple):
    """A verification as it is kept; `by` is None for one on the command line."""

    at: datetime
    by: str | None
    after: int
    upto: int
    chain: bytes
    finding: str | None
    found_at: int | None


class Kept(NamedTuple):
    """A verification, and whether the log still contains its last event."""

    verification: Verification
    holds: bool


KEPT_MAX = 1_000
"""How many verifications are compared with the log: those of the last time."""
_KEEP = """
INSERT INTO desk.verifications
    (verified_at, verified_by, after, upto, chain, finding, found_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
# Not on a replica, and not before the migrations have run.
_MAY_KEEP = """
SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
   AND has_table_privilege(to_regclass('desk.verifications'), 'INSERT')
"""
_NEWEST = """
SELECT verified_at, verified_by, after, upto, kept.chain, finding, found_at,
       upto = 0 OR EXISTS (SELECT FROM log.events AS event
           WHERE event.notification_id = kept.upto AND event.chain = kept.chain)
FROM desk.verifications AS kept ORDER BY verification_id DESC LIMIT %s
"""


def keep(cursor: Cursors, verification: Verification) -> None:
    """Store a verification."""
    cursor.execute(_KEEP, verification)


def may_keep(cursor: Cursors) -> bool:
    """Return whether the role of this connection may store one."""
    row = cursor.execute(_MAY_KEEP).fetchone()
    return bool(row and row[0])


def kept(cursor: Cursors) -> list[Kept]:
    """Return the last verifications, the newest first."""
    rows = cursor.execute(_NEWEST, (KEPT_MAX,)).fetchall()
    return [Kept(Verification(*row[:7]), row[7]) for row in rows]


def verified_upto(found: Iterable[Kept]) -> int:
    """Return up to which position verifications cover the log without a gap.

    One that found something, or that is of another log, covers nothing.
    """
    parts = sorted(
        (each.after, each.upto)
        for each, holds in found
        if holds and each.finding is None
    )
    reached = 0
    for after, upto in parts:
        if after > reached:
            break
        reached = max(reached, upto)
    return reached
