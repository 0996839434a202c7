"""Applies a service's rules: to what was read, and to what is due. Blocks.

Either way one transaction holds the cases, appends what was decided and writes the
cases back: own rows first, the append lock last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic

import structlog

from shared.append import Member, Outcome, Recorded
from shared.casework.cases import Held, Saved, claim, lock, next_due, save
from shared.casework.casework import Case, Casework, Cursors, Desk, Known
from shared.clock import Clock
from shared.entry import Entry
from shared.event_log import EventLog, StaleVersion

CLAIMED_MAX = 200
"""Cases decided in one transaction when they are due."""
STUCK = timedelta(minutes=1)
"""When to look again at a case that is due and about which nothing is decided."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Woken:
    """How many cases were due, and how many of them have to be read up on first."""

    due: int
    behind: int


class Worker(Generic[Case, Known]):
    """Decides for one service. `changed` is called when a case may be due earlier."""

    def __init__(
        self,
        work: Casework[Case, Known],
        log: EventLog,
        clock: Clock,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self._work = work
        self._log = log
        self._clock = clock
        self.changed = changed
        self.fired_total = 0

    @property
    def schema(self) -> str:
        """Where the cases are kept."""
        return self._work.schema

    def apply(self, cursor: Cursors, entries: Sequence[Entry]) -> None:
        """Take `entries` in, inside the reader's transaction."""
        concerned: dict[str, list[Entry]] = {}
        for entry in entries:
            for incident in self._work.concerns(cursor, entry):
                concerned.setdefault(incident, []).append(entry)
        if not concerned:
            return
        at = self._clock()
        desks = self._desks(cursor, list(concerned))
        for incident, desk in desks.items():
            for entry in concerned[incident]:
                desk.take(entry, at)
        outcomes = self._append(cursor, list(desks.values()), {})
        if not all(isinstance(outcome, Recorded) for outcome in outcomes):
            raise StaleVersion("another process decided on the same incident")
        self._save(cursor, list(desks.values()), at)
        self.changed()

    def wake(self) -> Woken:
        """Decide what is due now; what was not read to its end is left for later."""
        at = self._clock()
        with self._log.transaction() as cursor:
            held = claim(cursor, self.schema, at, CLAIMED_MAX)
            if not held:
                return Woken(0, 0)
            desks = self._open(cursor, held)
            before = {desk.incident: dict(desk.versions) for desk in desks}
            for desk in desks:
                desk.reach(at, at)
            idle = [desk for desk in desks if not desk.decided]
            busy = [desk for desk in desks if desk.decided]
            outcomes = self._append(cursor, busy, before)
            done = [
                desk
                for desk, outcome in zip(busy, outcomes, strict=True)
                if isinstance(outcome, Recorded)
            ]
            self._save(cursor, [*idle, *done], at)
        self.fired_total += len(done)
        return Woken(len(desks), len(busy) - len(done))

    def next_at(self) -> datetime | None:
        """Return the earliest instant at which something is due."""
        with self._log.transaction() as cursor:
            return next_due(cursor, self.schema)

    def desk(self, cursor: Cursors, incident: str) -> Desk[Case, Known]:
        """Return one case, held until the transaction ends, for a command about it."""
        return self._desks(cursor, [incident])[incident]

    def settle(self, cursor: Cursors, desk: Desk[Case, Known]) -> Outcome | None:
        """Append what was decided on a case by a command; None where nothing was.

        Raises `StaleVersion` where another process was first.
        """
        outcomes = self._append(cursor, [desk], {})
        if not all(isinstance(outcome, Recorded) for outcome in outcomes):
            raise StaleVersion(f"{desk.incident} moved on")
        self._save(cursor, [desk], self._clock())
        self.changed()
        return outcomes[0] if outcomes else None

    def _desks(
        self, cursor: Cursors, incidents: Sequence[str]
    ) -> dict[str, Desk[Case, Known]]:
        held = {row.incident: row for row in lock(cursor, self.schema, incidents)}
        rows = [held.get(name) or Held(name, {}, {}) for name in sorted(incidents)]
        return {desk.incident: desk for desk in self._open(cursor, rows)}

    def _open(self, cursor: Cursors, rows: Sequence[Held]) -> list[Desk[Case, Known]]:
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
        """Append the decisions on each case; `before` makes them depend on what was."""
        members = [
            Member(
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

    def _save(
        self, cursor: Cursors, desks: Sequence[Desk[Case, Known]], at: datetime
    ) -> None:
        adapter = self._work.adapter
        save(
            cursor,
            self.schema,
            [
                Saved(
                    desk.incident,
                    _not_stuck(desk, at),
                    desk.versions,
                    adapter.dump_json(desk.case),
                )
                for desk in desks
                if desk.case is not None
            ],
        )


def _not_stuck(desk: Desk[Case, Known], at: datetime) -> datetime | None:
    """Return when to look again; later where looking just now decided nothing."""
    next_at = desk.next_at()
    if next_at is None or next_at > at or desk.decided:
        return next_at
    _log.error("case.stuck", incident=desk.incident, schema=desk.work.schema)
    return at + STUCK
