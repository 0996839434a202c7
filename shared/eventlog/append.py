"""Group append: requests share one transaction, and each gets its own answer.

Under the append lock, two queries read command ids and versions; stale members are
dropped, the rest is inserted. Only a dropped member has to decide again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.eventlog.continuity.check import Continuity, Discontinued
from shared.eventlog.recorder import (
    Head,
    PendingEvent,
    StreamTip,
    insert,
    lock_head,
    versions,
)
from shared.vault.vault import keys_needed

EVENT_BYTES_MAX = 65_536
GROUP_EVENTS_MAX = 1_000
GROUP_BYTES_MAX = 1_000_000

_SEEN = """
SELECT command_id, digest, first_position, last_position FROM log.commands
WHERE command_id = ANY(%b)
"""
_KEYS = "SELECT key_id FROM vault.keys WHERE key_id = ANY(%b)"
_REMEMBER = """
INSERT INTO log.commands (command_id, day, digest, first_position, last_position)
SELECT command_id, %b::date, digest, first, last
FROM unnest(%b::uuid[], %b::bytea[], %b::bigint[], %b::bigint[])
     AS fresh (command_id, digest, first, last)
"""


@dataclass(frozen=True, slots=True)
class AppendUnit:
    """The events of one command, appended all or not at all.

    `digest` is a hash of the command's body: the same id with another body is an error.
    `expects` names other streams on which the decision depends, with their versions: a
    decision by the clock must be based on everything that happened until then.
    """

    events: tuple[PendingEvent, ...]
    command_id: UUID | None = None
    digest: bytes = b""
    expects: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The events were appended, from position `first` to `last`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """The command was recorded earlier, from position `first` to `last`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Stale:
    """Another writer appended in between: decide again on the new state."""


@dataclass(frozen=True, slots=True)
class CommandIdReused:
    """The command id was used before with another body."""


Outcome = Recorded | Repeated | Stale | CommandIdReused


class TooLarge(Exception):
    """An event or a group exceeds its limit; the sentence says which."""


def append(
    cursor: Cursors,
    clock: Clock,
    members: Sequence[AppendUnit],
    continuity: Continuity | None = None,
) -> list[Outcome]:
    """Append each member that is neither stale nor a repeat; return answers in order.

    Takes the append lock: the caller takes its own row locks before, sorted by key, and
    commits immediately afterwards. Raises `TooLarge` before anything is locked, and
    `Discontinued` if the log is not the one that `continuity` has seen.
    """
    check_size(members)
    head = _locked_head(cursor, members, continuity)
    known = recorded_commands(cursor, [m.command_id for m in members if m.command_id])
    current = dict(versions(cursor, _streams(members)))
    fresh: list[PendingEvent] = []
    outcomes: list[Outcome] = []
    remembered: list[tuple[AppendUnit, Recorded]] = []
    for member in members:
        outcome: Outcome | None = repeated(known, member.command_id, member.digest)
        if outcome is None and not _advance(current, member):
            outcome = Stale()
        if outcome is None:
            first = head.position + len(fresh) + 1
            fresh.extend(member.events)
            outcome = Recorded(first, head.position + len(fresh))
            if member.command_id is not None:
                known[member.command_id] = (member.digest, outcome.first, outcome.last)
                remembered.append((member, outcome))
        outcomes.append(outcome)
    now = head.instant(clock())
    if fresh:
        _insert(cursor, head, now, fresh, continuity)
    if remembered:
        _remember(cursor, now.date(), remembered)
    return outcomes


def check_size(members: Sequence[AppendUnit]) -> None:
    """Raise `TooLarge` if an event or the group exceeds its limit."""
    sizes = [len(event.state) for m in members for event in m.events]
    if sizes and max(sizes) > EVENT_BYTES_MAX:
        raise TooLarge(f"an event of {max(sizes)} bytes; at most {EVENT_BYTES_MAX}")
    if len(sizes) > GROUP_EVENTS_MAX or sum(sizes) > GROUP_BYTES_MAX:
        raise TooLarge(
            f"{len(sizes)} events, {sum(sizes)} bytes in one transaction; at most "
            f"{GROUP_EVENTS_MAX} events and {GROUP_BYTES_MAX} bytes"
        )


def _locked_head(
    cursor: Cursors, members: Sequence[AppendUnit], continuity: Continuity | None
) -> Head:
    head = lock_head(cursor, continuity)
    if continuity is not None and continuity.doubts_keys():
        require_keys(cursor, [event.state for m in members for event in m.events])
    return head


def _insert(
    cursor: Cursors,
    head: Head,
    now: datetime,
    fresh: Sequence[PendingEvent],
    continuity: Continuity | None,
) -> None:
    tips: dict[str, StreamTip] = {}
    after = insert(cursor, head, now, fresh, tips)
    if continuity is not None:
        continuity.appended(cursor, after, tips)


def require_keys(cursor: Cursors, states: Sequence[bytes]) -> None:
    """Raise `Discontinued` if a state takes a key that is missing in the vault."""
    used = sorted(keys_needed(states))
    if not used:
        return
    found = {key_id for (key_id,) in cursor.execute(_KEYS, (used,))}
    if not found.issuperset(used):
        why = "the vault no longer holds the keys of these words: seal them again"
        raise Discontinued(why, blocked=False)


Known = dict[UUID, tuple[bytes, int, int]]


def recorded_commands(cursor: Cursors, ids: Sequence[UUID]) -> Known:
    """Return digest, first and last position of the commands already recorded."""
    if not ids:
        return {}
    rows = cursor.execute(_SEEN, (list(ids),)).fetchall()
    return {row[0]: (bytes(row[1]), row[2], row[3]) for row in rows}


def repeated(
    known: Mapping[UUID, tuple[bytes, int, int]],
    command_id: UUID | None,
    digest: bytes,
) -> Repeated | CommandIdReused | None:
    """Return the answer to a command that was recorded before; None for a new one."""
    if command_id is None or command_id not in known:
        return None
    held, first, last = known[command_id]
    return Repeated(first, last) if held == digest else CommandIdReused()


def _streams(members: Sequence[AppendUnit]) -> list[str]:
    written = {event.stream for member in members for event in member.events}
    return sorted(written.union(*(member.expects for member in members)))


def _advance(current: dict[str, int], member: AppendUnit) -> bool:
    """Advance `current` by the member's events; leave it if one does not follow."""
    if any(current[stream] != version for stream, version in member.expects.items()):
        return False
    moved: dict[str, int] = {}
    for event in member.events:
        before = moved.get(event.stream, current[event.stream])
        if event.version != before + 1:
            return False
        moved[event.stream] = event.version
    current.update(moved)
    return True


def _remember(
    cursor: Cursors, day: date, remembered: Sequence[tuple[AppendUnit, Recorded]]
) -> None:
    cursor.execute(
        _REMEMBER,
        (
            day,
            [member.command_id for member, _ in remembered],
            [member.digest for member, _ in remembered],
            [outcome.first for _, outcome in remembered],
            [outcome.last for _, outcome in remembered],
        ),
    )
