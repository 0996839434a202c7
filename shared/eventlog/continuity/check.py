"""Checks that the log is still the one this process has seen, not an older copy.

A position or a version identifies an event only within one history. After a restore or
a fail-over to a lagging standby, the same numbers are given to other events. So each
process remembers the last head it saw, with its chain hash, and checks under the append
lock that the log still contains it, and what others have seen of it as well. If not,
nothing is appended and every cache that was filled from the log is dropped.

Evidence is compared by content, wherever the log ends now: a log that went back may
have grown past it since. Only the epoch that a restore begins retires what was seen in
an earlier one.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from psycopg import Connection, Cursor

from shared.eventlog.entry import GENESIS
from shared.eventlog.recorder import EMPTY, Head, StreamTip

DOUBT_SECONDS = 120.0
"""How long after a change of server the keys of appended events are checked.

Events that were encrypted before the change are appended well before that, or never.
"""
TIPS_MAX = 20_000
EVIDENCE_MAX = 1_000
"""How much evidence may wait to be judged: more than files of all processes of a host.

What is left out is read again later. PostgreSQL returns at most 1,664 columns.
"""
BROKEN_MAX = 8
"""How much that contradicts the log is kept: what goes furthest."""
RENEW_COMMAND = 'permanence restored --reason "…" --seen'
"""With what contradicts the log: the command may reach less of it than who asks."""

Cursors = Cursor[tuple[Any, ...]]

# PostgreSQL's instant, after all locks were granted; NULL if the caller's counts.
_NOW = "(SELECT CASE mode WHEN 'server' THEN clock_timestamp() END FROM log.clock)"
_RESTORED = """(
    SELECT coalesce(max(number), 0) FROM log.epochs WHERE cause = 'restore')"""
_HEAD = f"""
SELECT notification_id, recorded_at, chain,
       (SELECT number || '-' || token FROM log.epochs ORDER BY number DESC LIMIT 1),
       {_RESTORED}, {_NOW}"""  # noqa: S608 # our own names
_EMPTY = f"""
SELECT number, token, {_RESTORED}, {_NOW}
FROM log.epochs ORDER BY number DESC LIMIT 1"""  # noqa: S608 # our own names
# The hash covers the position. ORDER BY instead of equality: the index is then used,
# whatever size the planner assumes.
_CONTAINED = """,
       (SELECT chain FROM log.events WHERE notification_id <= %b
        ORDER BY notification_id DESC LIMIT 1) = %b"""
_FROM = """
FROM log.events ORDER BY notification_id DESC LIMIT 1
"""
_JUDGED = 6
"""The number of columns before those of the marks."""
_SERVER = """
SELECT pg_postmaster_start_time(),
       (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@lru_cache(maxsize=16)
def _sight(marks: int) -> str:
    """Return the query for this number of marks."""
    return _HEAD + _CONTAINED * marks + _FROM


class Mark(NamedTuple):
    """An event that the log must contain: its position and its chain hash."""

    position: int
    chain: bytes


class EpochId(NamedTuple):
    """An epoch's id: its number, and a token that is unique for each restore."""

    number: int
    token: str


class Evidence(NamedTuple):
    """An event that was seen in an epoch, and by what it was."""

    mark: Mark
    epoch: EpochId
    witness: str
    """As the subject of a sentence."""

    @property
    def event(self) -> tuple[Mark, EpochId]:
        """What was seen, by anyone."""
        return self.mark, self.epoch

    @property
    def end(self) -> tuple[int, int]:
        """How far it goes, to compare it with other evidence."""
        return self.epoch.number, self.mark.position

    @property
    def written(self) -> str:
        """It as a word, which people pass on to `permanence restored`."""
        epoch = label(self.epoch) or "1"
        return f"{epoch}:{self.mark.position}:{self.mark.chain.hex()}"


THIS_PROCESS = "this process"
BEGINNING = Mark(0, GENESIS)
FIRST = EpochId(1, "")


@dataclass(frozen=True, slots=True)
class LogSnapshot:
    """The log as read by one query: its head, and whether it contains the marks."""

    head: Head
    epoch: EpochId
    restored: int
    """The number of the last epoch that a restore began, 0 if none did."""
    server: tuple[object, ...]
    """An identity that changes with every server start and every new database."""
    contained: Sequence[bool]


class Discontinued(Exception):
    """The log is not the one this process has seen; `why` says what to do."""

    def __init__(self, why: str, *, blocked: bool) -> None:
        super().__init__(why)
        self.blocked = blocked
        """Whether nothing may be decided until the epoch is renewed."""


class Continuity:
    """What a process has seen of its log; thread-safe."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._guard = threading.Lock()
        self._elapsed = elapsed
        self._last = BEGINNING
        self._epoch: EpochId | None = None
        self._server: tuple[object, ...] | None = None
        self._servers: WeakKeyDictionary[Connection[Any], tuple[object, ...]] = (
            WeakKeyDictionary()
        )
        self._doubted_until = float("-inf")
        self._told: dict[tuple[Mark, EpochId], Evidence] = {}
        """What others have seen and was not judged yet, or contradicts the log."""
        self._contradiction: Evidence | None = None
        self._pins: dict[str, Mark] = {}
        self._pending: dict[int, _Pending] = {}
        self._tips: dict[str, StreamTip] = {}
        self._history = 0
        self._dropped_with: list[Callable[[], object]] = []
        self._blocked: str | None = None

    @property
    def blocked(self) -> str | None:
        """Why nothing may be decided or sent; None while the log continues."""
        return self._blocked

    @property
    def last(self) -> Mark:
        """The newest event this process knows to be in the log."""
        return self._last

    @property
    def epoch(self) -> EpochId | None:
        """The epoch of the log when it was last looked at; None before."""
        return self._epoch

    @property
    def contradiction(self) -> Evidence | None:
        """The furthest that was seen and that the log does not contain, while blocked.

        It is what has to be kept outside the log until somebody renews the epoch.
        """
        return self._contradiction if self._blocked is not None else None

    def remembered(self) -> tuple[Mark, EpochId]:
        """Return what has to be kept of the log outside: what contradicts it, if any.

        Else the newest event known to be in it, and the epoch of the log.
        """
        with self._guard:
            contradiction = self._contradiction
            if self._blocked is not None and contradiction is not None:
                return contradiction.mark, contradiction.epoch
            return self._last, self._epoch or FIRST

    def misses(self, evidence: Evidence) -> bool:
        """Return whether what was expected has not been found in the log."""
        with self._guard:
            return evidence.event in self._told

    @property
    def history(self) -> int:
        """A number that changes whenever the log no longer contains what was seen."""
        return self._history

    def drop_with(self, drop: Callable[[], object]) -> None:
        """Call `drop` whenever data read from the log may no longer be valid."""
        with self._guard:
            self._dropped_with.append(drop)

    def pin(self, cache: str, mark: Mark) -> None:
        """Require that the log contains the newest event from which `cache` was filled.

        For caches that are used without reading the log.
        """
        with self._guard:
            self._pins[cache] = mark

    def expect(self, evidence: Evidence) -> bool:
        """Require from now on that the log contains what something else has seen.

        Returns False if too much waits to be judged: offer it again later.
        """
        with self._guard:
            if evidence.event not in self._told and len(self._told) >= EVIDENCE_MAX:
                return False
            self._told.setdefault(evidence.event, evidence)
        return True

    def look(self, cursor: Cursors) -> LogSnapshot:
        """Read the head and check continuity. Raises `Discontinued`."""
        with self._guard:
            told = list(self._told.values())
            given = [self._last, *(each.mark for each in told), *self._pins.values()]
        marks = [mark for mark in dict.fromkeys(given) if mark.position]
        row = cursor.execute(
            _sight(len(marks)), [each for mark in marks for each in mark], binary=True
        ).fetchone()
        if row is None:
            head, epoch, restored = self._beginning(cursor)
            contained = [False] * len(marks)
        else:
            *_, written, restored, now = row[:_JUDGED]
            head = Head(row[0], row[1], bytes(row[2]), now)
            epoch = epoch_labelled(written)
            contained = [bool(each) for each in row[_JUDGED:]]
        server = self._server_of(cursor)
        sight = LogSnapshot(head, epoch, restored, server, contained)
        self._judge(sight, dict(zip(marks, contained, strict=True)), told)
        return sight

    def _beginning(self, cursor: Cursors) -> tuple[Head, EpochId, int]:
        """Return the head, the epoch and the last restore of an empty log."""
        row = cursor.execute(_EMPTY).fetchone()
        if row is None:
            return EMPTY, FIRST, 0
        return EMPTY._replace(server_now=row[3]), EpochId(row[0], row[1]), row[2]

    def _server_of(self, cursor: Cursors) -> tuple[object, ...]:
        """Return the identity of a connection's server; queried once per connection."""
        known = self._servers.get(cursor.connection)
        if known is None:
            known = cursor.execute(_SERVER).fetchone() or ()
            self._servers[cursor.connection] = known
        return known

    def _judge(
        self,
        sight: LogSnapshot,
        contained: Mapping[Mark, bool],
        told: Sequence[Evidence],
    ) -> None:
        with self._guard:
            verdict = self._verdict(sight, contained, told)
            drops = list(self._dropped_with) if verdict.drop else []
        for drop in drops:
            drop()
        if verdict.why is not None:
            raise Discontinued(verdict.why, blocked=self._blocked is not None)

    def _verdict(
        self,
        sight: LogSnapshot,
        contained: Mapping[Mark, bool],
        told: Sequence[Evidence],
    ) -> "_Verdict":
        known, last = self._epoch, self._last
        moved = self._server not in (None, sight.server)
        if moved:
            self._doubted_until = self._elapsed() + DOUBT_SECONDS
        self._server = sight.server
        own = Evidence(last, known or FIRST, THIS_PROCESS)
        broken = [e for e in (own, *told) if contradicts(e, sight, contained)]
        kept = nlargest(BROKEN_MAX, broken, key=lambda each: each.end)
        for each in told:
            if each not in kept:
                self._told.pop(each.event, None)
        if broken:
            first_time = self._blocked is None
            self._contradiction = kept[0]
            self._blocked = _sentence(self._contradiction, sight)
            self._forget()
            return _Verdict(self._blocked, drop=first_time or moved)
        if self._blocked is not None and self._told:
            return _Verdict(self._blocked, drop=moved)  # expected after this look began
        was_blocked, self._blocked = self._blocked, None
        self._contradiction = None
        renewed = known is not None and sight.epoch.number > known.number
        self._epoch = sight.epoch
        lost = not all(contained.get(mark, True) for mark in self._pins.values())
        if lost or renewed or was_blocked is not None:
            self._forget()
            self._last = Mark(sight.head.position, sight.head.chain)
            why = "the log was restored or its epoch renewed: decide again"
            return _Verdict(why, drop=True)
        if sight.head.position > last.position:
            self._last = Mark(sight.head.position, sight.head.chain)
        return _Verdict(None, drop=moved)

    def _forget(self) -> None:
        self._pins.clear()
        self._pending.clear()
        self._tips.clear()
        self._history += 1

    def doubts_keys(self) -> bool:
        """Return whether keys may have been fetched from another server."""
        return self._elapsed() < self._doubted_until

    def appended(
        self, cursor: Cursors, head: Head, tips: Mapping[str, StreamTip]
    ) -> None:
        """Record what the log contains once `cursor`'s transaction is committed."""
        with self._guard:
            mark = Mark(head.position, head.chain)
            self._pending[id(cursor)] = _Pending(self._history, mark, tips)

    def undone(self, cursor: Cursors) -> None:
        """Record that the appends of `cursor` were rolled back."""
        with self._guard:
            self._pending.pop(id(cursor), None)

    def committed(self, cursor: Cursors) -> bool:
        """Record that the transaction of `cursor` was committed.

        Returns whether the log contains more than was known before.
        """
        with self._guard:
            done = self._pending.pop(id(cursor), None)
            if done is None or done.history != self._history:
                return False
            if done.mark.position > self._last.position:
                self._last = done.mark
            if len(self._tips) > TIPS_MAX:
                self._tips.clear()
            self._tips.update(done.tips)
            return True

    def tip(self, stream: str, version: int) -> StreamTip | None:
        """Return the tip of a stream that this process recently moved to `version`."""
        tip = self._tips.get(stream)
        return tip if tip is not None and tip.version == version else None


def contradicts(
    evidence: Evidence, sight: LogSnapshot, contained: Mapping[Mark, bool]
) -> bool:
    """Return whether the log lacks what was seen, and no restore explains that."""
    seen, now = evidence.epoch, sight.epoch
    if sight.restored > seen.number:
        return False
    if seen.number > now.number or (seen.number == now.number and seen != now):
        return True
    return not contained.get(evidence.mark, True)


def _sentence(evidence: Evidence, sight: LogSnapshot) -> str:
    return (
        f"the log ends at position {sight.head.position} in epoch "
        f"{label(sight.epoch) or 1} and does not continue position "
        f"{evidence.mark.position} in epoch {label(evidence.epoch) or 1}, which "
        f"{evidence.witness} has seen: it was restored to an earlier state, or is "
        f"another log. Run `{RENEW_COMMAND} {evidence.written}`"
    )


class _Pending(NamedTuple):
    history: int
    mark: Mark
    tips: Mapping[str, StreamTip]


class _Verdict(NamedTuple):
    why: str | None
    drop: bool


def label(epoch: EpochId) -> str:
    """Return the suffix of an epoch for keys and positions; empty for the first one."""
    return f"{epoch.number}-{epoch.token}" if epoch.number > FIRST.number else ""


def epoch_labelled(written: str) -> EpochId:
    """Return the epoch with a label; raises `ValueError` if it is not one."""
    if not written:
        return FIRST
    number, _, token = written.partition("-")
    return EpochId(int(number), token)
