"""Applies a service's rules to events that were read and to cases that are due. Blocks.

In both cases one transaction locks the cases, writes them back and appends the
decisions: own rows first, the append lock last, and then only the commit.

`settle` records the decisions of a command, or those about messages that were sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic
from uuid import UUID

import structlog

from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.identifiers import about
from shared.eventlog.append import AppendUnit, Outcome, Recorded
from shared.eventlog.entry import Entry
from shared.eventlog.errors import StaleVersion, Unavailable, away, is_unavailable
from shared.eventlog.log import EventLog, Row
from shared.process_manager.case_store import (
    CaseUpdate,
    StoredCase,
    beyond,
    claim,
    lock,
    next_due,
    postpone,
    save,
    versions_of,
)
from shared.process_manager.process import (
    PORTION_MAX,
    Case,
    Desk,
    Known,
    ProcessManager,
)

CLAIMED_MAX = 200
"""The maximum number of due cases in one transaction."""
STUCK = timedelta(minutes=1)
"""After what time a due case without a possible decision is checked again.

It is checked earlier if an event about it is read.
"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WakeResult:
    """How many cases were due, and how many of them have unread events."""

    due: int
    behind: int


class _Moved(Exception):
    """Streams of these incidents have changed: roll back, and repeat without them."""

    def __init__(self, incidents: set[str]) -> None:
        super().__init__(f"{len(incidents)} incidents moved on")
        self.incidents = incidents


class Worker(Generic[Case, Known]):
    """Makes a service's decisions; calls `changed` when a case may be due earlier.

    It calls `appended` once decisions are committed that no reader has made: the reader
    of this process need not wait until it hears of them.
    """

    def __init__(
        self,
        work: ProcessManager[Case, Known],
        log: EventLog,
        clock: Clock,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self._work = work
        self._log = log
        self._clock = clock
        self.changed = changed
        self.appended: Callable[[], object] = lambda: None
        self._claims = CLAIMED_MAX
        self.fired_total = 0
        self.stuck_total = 0

    @property
    def schema(self) -> str:
        """The schema of the cases."""
        return self._work.schema

    def apply(self, cursor: Cursors, entries: Sequence[Entry]) -> None:
        """Apply `entries` inside the reader's transaction."""
        contained = self._contained(cursor, entries)
        concerned: dict[str, list[Entry]] = {}
        for entry in entries:
            held_by = contained.get(entry.position)
            for incident in self._work.concerns(cursor, entry):
                if incident != held_by:
                    concerned.setdefault(incident, []).append(entry)
        if not concerned:
            if contained:  # an alarm that looked before their commit has to look again
                self.changed()
            return
        at = self._clock()
        desks = self.desks(cursor, list(concerned))
        self._recall(cursor, desks)
        for incident, desk in desks.items():
            for entry in concerned[incident]:
                desk.take(entry, at)
        self.settle(cursor, [desk for desk in desks.values() if desk.changed])
        self.changed()

    def _contained(
        self, cursor: Cursors, entries: Sequence[Entry]
    ) -> Mapping[int, str]:
        """Return own decisions that their cases contain: position and incident.

        They were stored with their case, which need be neither locked nor read for
        them: the versions that it contains only grow. A case lacks a decision if cases
        were emptied or put back since; then it learns of it as of any other event.
        """
        own = {
            entry.position: (incident, entry)
            for entry in entries
            if (incident := about(entry.stream)) is not None
            and entry.stream in self._work.owns(incident)
        }
        if not own:
            return {}
        held = versions_of(cursor, self.schema, {ref for ref, _ in own.values()})
        return {
            position: incident
            for position, (incident, entry) in own.items()
            if entry.version <= held.get(incident, {}).get(entry.stream, 0)
        }

    def settle(self, cursor: Cursors, desks: Sequence[Desk[Case, Known]]) -> None:
        """Write cases and append their decisions, as the last statements.

        Raises `StaleVersion` if another process was first.
        """
        self._save(cursor, desks)
        outcomes = self._append(cursor, desks, {})
        if not all(isinstance(outcome, Recorded) for outcome in outcomes):
            raise StaleVersion("another process decided on the same incident")

    def pass_over(self, cursor: Cursors, rows: Sequence[Row]) -> None:
        """Mark skipped events as read, so that decisions no longer wait for them.

        Cases that became due in the meantime are decided in the next round.
        """
        skipped: dict[str, list[Row]] = {}
        for row in rows:
            if (incident := about(row.stream)) is not None:
                skipped.setdefault(incident, []).append(row)
        if not skipped:
            return
        desks = self.desks(cursor, list(skipped))
        for incident, desk in desks.items():
            for row in skipped[incident]:
                read = desk.versions.get(row.stream, 0)
                desk.versions[row.stream] = max(read, row.version)
        self._save(cursor, list(desks.values()))
        self.changed()

    def wake(self) -> WakeResult:
        """Decide the cases that are due now; postpone those with unread events.

        A case that fails is postponed, too, and does not block others.
        """
        at = self._clock()
        while True:
            try:
                woken = self._round(at, self._claims)
            except Unavailable:
                # It may have taken too long: PostgreSQL ends an idle transaction.
                self._claims = max(1, self._claims // 2)
                raise
            if isinstance(woken, WakeResult):
                self._claims = min(CLAIMED_MAX, 2 * self._claims)
                if woken.due > woken.behind:
                    self.appended()
                return woken
            self._claims = woken // 2

    def _round(self, at: datetime, limit: int) -> WakeResult | int:
        """Decide up to `limit` cases; return their number if one of several fails."""
        with self._log.transaction() as cursor:
            held = claim(cursor, self.schema, at, limit)
            if not held:
                return WakeResult(0, 0)
            try:
                return self._decide_current(cursor, held, at)
            except Exception as error:
                if is_unavailable(error):
                    raise away(error) from error
                if len(held) > 1:
                    return len(held)
                failed = error
                self._set_aside(cursor, [held[0].incident], at)
        name = held[0].incident
        _log.error("case.failed", incident=name, schema=self.schema, exc_info=failed)
        return WakeResult(1, 0)

    def _decide_current(
        self, cursor: Cursors, held: Sequence[StoredCase], at: datetime
    ) -> WakeResult:
        """Decide the cases whose events are all read; postpone the others.

        The append detects them: the writes are then rolled back and repeated without
        them, since nothing may be written after the append.
        """
        behind: set[str] = set()
        while True:
            try:
                with self._log.savepoint(cursor, "round"):
                    return self._decide(cursor, held, at, behind)
            except _Moved as moved:
                behind |= moved.incidents

    def _decide(
        self,
        cursor: Cursors,
        held: Sequence[StoredCase],
        at: datetime,
        behind: set[str],
    ) -> WakeResult:
        desks = self._open(cursor, [row for row in held if row.incident not in behind])
        before = {desk.incident: dict(desk.versions) for desk in desks}
        ended = [desk for desk in desks if desk.reach(at, at, PORTION_MAX)]
        stuck = [desk.incident for desk in ended if _is_due(desk, at)]
        self._save(cursor, desks)
        postpone(cursor, self.schema, sorted({*stuck, *behind}), at + STUCK)
        busy = [desk for desk in desks if desk.decided]
        outcomes = self._append(cursor, busy, before)
        moved = {
            desk.incident
            for desk, outcome in zip(busy, outcomes, strict=True)
            if not isinstance(outcome, Recorded)
        }
        if moved:
            raise _Moved(moved)
        if stuck:
            _log.error("case.stuck", incidents=stuck, schema=self.schema)
        self.stuck_total += len(stuck)
        self.fired_total += len(busy)
        return WakeResult(len(held), len(behind))

    def _set_aside(
        self, cursor: Cursors, incidents: Sequence[str], at: datetime
    ) -> None:
        self.stuck_total += len(incidents)
        postpone(cursor, self.schema, incidents, at + STUCK)

    def next_at(self) -> datetime | None:
        """Return the earliest instant at which something is due."""
        self._log.guard()  # a host that may not decide says so before anything is due
        return self._log.read(lambda cursor: next_due(cursor, self.schema))

    def desk(self, cursor: Cursors, incident: str) -> Desk[Case, Known]:
        """Return one case for a command, locked until the transaction ends."""
        return self.desks(cursor, [incident])[incident]

    def desks(
        self, cursor: Cursors, incidents: Sequence[str]
    ) -> dict[str, Desk[Case, Known]]:
        """Return cases by incident, locked until the transaction ends."""
        held = {row.incident: row for row in lock(cursor, self.schema, incidents)}
        rows = [
            held.get(name) or StoredCase(name, {}, {}) for name in sorted(incidents)
        ]
        return {desk.incident: desk for desk in self._open(cursor, rows)}

    def _recall(self, cursor: Cursors, desks: Mapping[str, Desk[Case, Known]]) -> None:
        """Add to each case the decisions in the log that it does not contain."""
        held = {
            stream: desk.versions.get(stream, 0)
            for desk in desks.values()
            for stream in self._work.owns(desk.incident)
        }
        found = beyond(self._log, cursor, self._work.bookmark, held)
        for entry in found.entries:
            incident = about(entry.stream)
            if incident is not None:
                desks[incident].said[entry.stream, entry.version] = entry.event
        for row in found.skipped:
            incident = about(row.stream)
            if incident is not None:
                desks[incident].skipped.add((row.stream, row.version))

    def _open(
        self, cursor: Cursors, rows: Sequence[StoredCase]
    ) -> list[Desk[Case, Known]]:
        known = self._work.known(cursor, [row.incident for row in rows])
        read = self._work.adapter.validate_python
        return [
            Desk(
                row.incident,
                self._work,
                known,
                read(row.state) if row.state else None,
                dict(row.versions),
            )
            for row in rows
        ]

    def _append(
        self,
        cursor: Cursors,
        desks: Sequence[Desk[Case, Known]],
        before: Mapping[str, Mapping[str, int]],
    ) -> list[Outcome]:
        """Append the decisions on each case, based on the versions in `before`."""
        members = [
            AppendUnit(
                tuple(self._log.stored(*decision) for decision in desk.decided),
                expects=(
                    desk.expected(before[desk.incident])
                    if desk.incident in before
                    else {}
                ),
            )
            for desk in desks
            if desk.decided
        ]
        return self._log.append(cursor, members) if members else []

    def _save(self, cursor: Cursors, desks: Sequence[Desk[Case, Known]]) -> None:
        adapter = self._work.adapter
        save(
            cursor,
            self.schema,
            [
                CaseUpdate(
                    desk.incident,
                    desk.next_at(),
                    desk.versions,
                    adapter.dump_json(desk.case),
                )
                for desk in desks
                if desk.case is not None
            ],
        )


def _is_due(desk: Desk[Case, Known], at: datetime) -> bool:
    """Return whether the case is due although all possible decisions were made."""
    next_at = desk.next_at()
    return next_at is not None and next_at <= at


_VERSIONS = """
SELECT stream, coalesce(max(originator_version), 0)
FROM unnest(%s::text[]) AS stream LEFT JOIN log.events ON originator_id = stream
GROUP BY stream
"""


class CaseBehindLog(Exception):
    """The log contains unread events about the incident: retry in a moment."""


def require_read(
    cursor: Cursors, desk: Desk[Case, Known], streams: Sequence[str]
) -> None:
    """Raise `CaseBehindLog` if the case has unread events in these streams."""
    read = {each: desk.versions.get(each, 0) for each in streams}
    if behind := unread(cursor, read):
        raise CaseBehindLog(f"{', '.join(sorted(behind))} has unread events")


def unread(cursor: Cursors, read: Mapping[str, int]) -> set[str]:
    """Return the streams that have events after the versions that were read."""
    found = cursor.execute(_VERSIONS, (list(read),))
    return {stream for stream, version in found if read[stream] < version}


def settle(
    log: EventLog,
    cursor: Cursors,
    desk: Desk[Case, Known],
    command_id: UUID | None = None,
    digest: bytes = b"",
    expects: Mapping[str, int] | None = None,
) -> Recorded:
    """Write the case and append its decisions, as the last statements of a transaction.

    `expects` names other services' streams that must not have changed since they were
    read. Raises `StaleVersion` if another process was first.
    """
    if desk.case is None:
        raise LookupError(f"nothing is known of {desk.incident}")
    state = desk.work.adapter.dump_json(desk.case)
    saved = CaseUpdate(desk.incident, desk.next_at(), desk.versions, state)
    stored = tuple(log.stored(*decision, command_id) for decision in desk.decided)
    save(cursor, desk.work.schema, [saved])
    member = AppendUnit(stored, command_id, digest, expects or {})
    (outcome,) = log.append(cursor, [member])
    if not isinstance(outcome, Recorded):
        raise StaleVersion(f"{desk.incident} moved on")
    return outcome
