"""Checks that the log is still the one this process has seen, not an older copy.

A position or a version identifies an event only within one history. After a restore or
a fail-over to a lagging standby, the same numbers are given to other events. So each
process remembers the last head it saw, with its chain hash, and checks under the append
lock that the log still contains it, and what others have seen of it as well. If not,
nothing is appended and every cache that was filled from the log is dropped.

Evidence is compared by content, wherever the log ends now: a log that went back may
have grown past it since. Only the epoch that a restore begins retires what was seen in
an earlier one.

What a file says of another log, which began with another event, stops a process only
until NATS has seen this one: a service ran once with another database on that host.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from heapq import nlargest
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from psycopg import Connection

from shared.database.cursors import Cursors
from shared.eventlog.continuity.evidence import (
    BEGINNING,
    FIRST,
    NATS,
    NO_NUMBERS,
    THIS_PROCESS,
    EpochId,
    Evidence,
    Mark,
    Numbers,
    epoch_labelled,
    highest,
    label,
)
from shared.eventlog.recorder import EMPTY, Head, StreamTip

DOUBT_SECONDS = 120.0
"""How long after a change of server the keys of appended events are checked.

Events that were encrypted before the change are appended well before that, or never.
"""
TIPS_MAX = 20_000
EVIDENCE_MAX = 1_200
"""How much evidence may wait to be judged: more than files of all processes of a host.

What is left out is read again later. PostgreSQL returns at most 1,664 columns.
"""
BROKEN_MAX = 8
"""How much that contradicts the log is kept: what goes furthest."""
RENEW_COMMAND = 'permanence restored --reason "…" --seen'
"""With what contradicts the log: the command may reach less of it than who asks."""


# PostgreSQL's instant, after all locks were granted; NULL if the caller's counts.
_NOW = "(SELECT CASE mode WHEN 'server' THEN clock_timestamp() END FROM log.clock)"
_RESTORED = """(
    SELECT coalesce(max(number), 0) FROM log.epochs WHERE cause = 'restore')"""
_ORIGIN = """(
    SELECT encode(substring(chain FOR 8), 'hex')
    FROM log.events ORDER BY notification_id LIMIT 1)"""
_HEAD = f"""
SELECT notification_id, recorded_at, chain,
       (SELECT number || '-' || token FROM log.epochs ORDER BY number DESC LIMIT 1),
       {_RESTORED}, {_NOW}, {_ORIGIN}"""  # noqa: S608 # our own names
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
_JUDGED = 7
"""The number of columns before those of the marks."""
_SERVER = """
SELECT pg_postmaster_start_time(),
       (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@lru_cache(maxsize=16)
def _sight(marks: int) -> str:
    """Return the query for this number of marks."""
    return _HEAD + _CONTAINED * marks + _FROM


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
    origin: str = ""
    """Which log it is, see `Evidence`; empty while it holds no event."""


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
        self._sight: LogSnapshot | None = None
        """The log as it was last read, whatever was found of it."""
        self._origin = ""
        """Which log this process knows."""
        self._seen_by_nats = ""
        """Of which log NATS has an event."""
        self._issued: dict[str, Numbers] = {}
        """The highest numbers that are known of each log."""
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
        with self._guard:
            if self._blocked is None or self._contradiction is None:
                return None
            return self._with_numbers(self._contradiction)

    def remembered(self) -> Evidence:
        """Return what has to be kept of the log outside: what contradicts it, if any.

        Else the newest event known to be in it, and the epoch of the log.
        """
        contradiction = self.contradiction
        with self._guard:
            return contradiction or self._with_numbers(self._own())

    def is_of_another_log(self, evidence: Evidence) -> bool:
        """Return whether it is about another log, and no restore explains that."""
        sight = self._sight
        return (
            sight is not None
            and evidence.is_of_another_log(sight.origin)
            and sight.restored <= evidence.epoch.number
        )

    def issued(self, numbers: Numbers) -> None:
        """Remember which numbers the log had issued when it was last looked at."""
        with self._guard:
            self._learn_numbers(self._origin, numbers)

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
            self._learn_numbers(evidence.origin, evidence.numbers)
            if evidence.event not in self._told and len(self._told) >= EVIDENCE_MAX:
                return False
            if evidence.witness == NATS or evidence.event not in self._told:
                self._told[evidence.event] = evidence  # NATS says more than a file
        return True

    def _learn_numbers(self, origin: str, numbers: Numbers) -> None:
        known = self._issued.get(origin, NO_NUMBERS)
        self._issued[origin] = highest(known, numbers)

    def _with_numbers(self, evidence: Evidence) -> Evidence:
        """Return it with the highest numbers known of its log, or of one unnamed."""
        known = (self._issued.get(each, NO_NUMBERS) for each in ("", evidence.origin))
        return evidence._replace(numbers=highest(evidence.numbers, *known))

    def _own(self) -> Evidence:
        return Evidence(self._last, self._epoch or FIRST, THIS_PROCESS, self._origin)

    def look(self, cursor: Cursors) -> LogSnapshot:
        """Read the head and check continuity. Raises `Discontinued`."""
        with self._guard:
            is_own = id(cursor) in self._pending
            told = list(self._told.values())
            given = [self._last, *(each.mark for each in told), *self._pins.values()]
        marks = [mark for mark in dict.fromkeys(given) if mark.position]
        row = cursor.execute(
            _sight(len(marks)), [each for mark in marks for each in mark], binary=True
        ).fetchone()
        if row is None:
            head, epoch, restored = self._beginning(cursor)
            origin = ""
            contained = [False] * len(marks)
        else:
            *_, written, restored, now, origin = row[:_JUDGED]
            head = Head(row[0], row[1], bytes(row[2]), now)
            epoch = epoch_labelled(written)
            contained = [bool(each) for each in row[_JUDGED:]]
        server = self._server_of(cursor)
        sight = LogSnapshot(head, epoch, restored, server, contained, origin)
        self._judge(sight, dict(zip(marks, contained, strict=True)), told, is_own)
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
        is_own: bool,
    ) -> None:
        with self._guard:
            verdict = self._verdict(sight, contained, told, is_own)
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
        is_own: bool,
    ) -> "_Verdict":
        known, last = self._epoch, self._last
        # What this very transaction appended may yet be rolled back.
        end = last if is_own else Mark(sight.head.position, sight.head.chain)
        moved = self._server not in (None, sight.server)
        if moved:
            self._doubted_until = self._elapsed() + DOUBT_SECONDS
        self._server = sight.server
        self._sight = sight
        if any(each.witness == NATS and contained.get(each.mark) for each in told):
            self._seen_by_nats = sight.origin
        judged = [self._own(), *(each for each in told if not self._is_excused(each))]
        broken = [each for each in judged if contradicts(each, sight, contained)]
        kept = nlargest(BROKEN_MAX, broken, key=partial(_weight, sight))
        for each in told:
            if each not in kept:
                self._told.pop(each.event, None)
        if broken:
            first_time = self._blocked is None
            self._contradiction = kept[0]
            self._blocked = _sentence(self._with_numbers(kept[0]), sight)
            self._forget()
            return _Verdict(self._blocked, drop=first_time or moved)
        if self._blocked is not None and self._told:
            return _Verdict(self._blocked, drop=moved)  # expected after this look began
        was_blocked, self._blocked = self._blocked, None
        self._contradiction = None
        renewed = known is not None and sight.epoch.number > known.number
        self._epoch, self._origin = sight.epoch, sight.origin
        lost = not all(contained.get(mark, True) for mark in self._pins.values())
        if lost or renewed or was_blocked is not None:
            self._forget()
            self._last = BEGINNING if is_own else end
            why = "the log was restored or its epoch renewed: decide again"
            return _Verdict(why, drop=True)
        if end.position > last.position:
            self._last = end
        return _Verdict(None, drop=moved)

    def _is_excused(self, evidence: Evidence) -> bool:
        """Return whether a file is of another log than NATS and this process have."""
        sight = self._sight
        return (
            sight is not None
            and evidence.witness != NATS
            and evidence.is_of_another_log(sight.origin)
            and sight.origin == self._seen_by_nats
        )

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


def _weight(sight: LogSnapshot, evidence: Evidence) -> tuple[bool, tuple[int, int]]:
    """Return what is kept first: what is of this log, and of that what goes furthest.

    Else evidence of another log, which is not passed on, would hide it.
    """
    return not evidence.is_of_another_log(sight.origin), evidence.end


def _sentence(evidence: Evidence, sight: LogSnapshot) -> str:
    cause = "it was restored to an earlier state, or is another log. Run"
    if evidence.is_of_another_log(sight.origin):
        cause = (
            "it is another log. Correct DATABASE_URL if it is wrong; if it was wrong "
            "before, do what docs/how-to/answer-an-alert.md says of LogNotContinued. "
            "If the log was begun again, run"
        )
    return (
        f"the log ends at position {sight.head.position} in epoch "
        f"{label(sight.epoch) or 1} and does not continue position "
        f"{evidence.mark.position} in epoch {label(evidence.epoch) or 1}, which "
        f"{evidence.witness} has seen: {cause} `{RENEW_COMMAND} {evidence.written}`"
    )


class _Pending(NamedTuple):
    history: int
    mark: Mark
    tips: Mapping[str, StreamTip]


class _Verdict(NamedTuple):
    why: str | None
    drop: bool
