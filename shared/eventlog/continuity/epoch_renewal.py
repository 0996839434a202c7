"""Begins a new epoch of the log: by command after a restore, by itself on promotion.

One transaction appends `log.restored`, adds the epoch and advances the sequences of
references past every number that may have been issued. The lock order is the usual one,
except that the append lock comes first: the epoch begins at the head it reads.

A restored log knows nothing of what came after it, and nobody else may either. Only
time tells one restore from the next. So references go on at a number that depends on
the instant alone: whatever is restored later goes on above what was issued before.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from shared.database.cursors import Cursors
from shared.domain.events.administration import LOG_STREAM, LogRestored
from shared.domain.events.event import Actor
from shared.eventlog.append import AppendUnit
from shared.eventlog.continuity.evidence import EpochId
from shared.eventlog.continuity.last_seen import LastSeen, Server, server_of
from shared.eventlog.epochs import Epoch, read_epochs
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import Head, lock_head, tips_of

MARGIN = 10_000
"""Numbers that a desk may issue at once, or after the last one that is known."""
NUMBERED_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""Before any desk began. From here on there is a number for each second."""
_TOKEN_BYTES = 4

_ADD = """
INSERT INTO log.epochs (number, token, begins_after, chain, cause, reason, begun_by,
                        begun_at, system_identifier, timeline, database_oid)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_MOVE = "SELECT setval(%s::regclass, %s)"


@dataclass(frozen=True, slots=True)
class Renewal:
    """Why the epoch is renewed, by whom and when."""

    cause: Literal["restore", "promotion"]
    reason: str
    by: Actor
    at: datetime


def renew(log: EventLog, renewal: Renewal, seen: LastSeen | None) -> Epoch:
    """Begin a new epoch at the head of the log and return it; blocks.

    `seen` is what was stored about the log elsewhere. The number of the epoch is higher
    than that of every epoch known in either place. Raises `Unavailable`.
    """
    with log.transaction() as cursor:
        head = lock_head(cursor)
        server = server_of(cursor)
        newest = read_epochs(cursor).newest.id.number
        number = max(newest, seen.epoch if seen else 0) + 1
        epoch = EpochId(number, secrets.token_hex(_TOKEN_BYTES))
        if renewal.cause == "restore":
            _move_numbers(cursor, server, seen, head.instant(renewal.at))
        cursor.execute(_ADD, _row(epoch, head, renewal, server))
        version = tips_of(cursor, [LOG_STREAM])[LOG_STREAM].version + 1
        event = _event(epoch, head, renewal, seen)
        log.append_unchecked(
            cursor, [AppendUnit((log.stored(LOG_STREAM, version, event),))]
        )
    return Epoch(epoch, head.position)


def number_after(known: int, now: datetime) -> int:
    """Return the number after which references go on `now`.

    Of what was issued, `known` is the highest number that anything still knows. The
    number of the instant is above it, and above all that is not known, if fewer than
    one record was opened per second, on average. Nothing else is added to it: the room
    belongs to the next restore, of a backup that may know less.
    """
    of_instant = MARGIN + (now - NUMBERED_SINCE) // timedelta(seconds=1)
    return of_instant if known <= of_instant else known + MARGIN


def _move_numbers(
    cursor: Cursors, server: Server, seen: LastSeen | None, now: datetime
) -> None:
    """Advance each sequence past every number that may have been issued."""
    for kind, known in server.numbers.items():
        told = seen.server.numbers.get(kind, 0) if seen else 0
        number = number_after(max(known, told), now)
        cursor.execute(_MOVE, (f"intake.{kind}_numbers", number))


def _row(
    epoch: EpochId, head: Head, renewal: Renewal, server: Server
) -> tuple[object, ...]:
    return (
        *epoch,
        head.position,
        head.chain,
        renewal.cause,
        renewal.reason,
        renewal.by,
        renewal.at,
        server.system_identifier,
        server.timeline,
        server.database_oid,
    )


def _event(
    epoch: EpochId, head: Head, renewal: Renewal, seen: LastSeen | None
) -> LogRestored:
    return LogRestored(
        at=renewal.at,
        by=renewal.by,
        epoch=epoch.number,
        token=epoch.token,
        cause=renewal.cause,
        begins_after=head.position,
        last_seen=seen.position if seen else None,
        reason=renewal.reason,
    )
