"""Reads and appends the history of schedules, and keeps up to when it is complete.

The state of a schedule is kept in memory, under the hash of the last event that it
follows from: a restored log may have other events with the same versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from services.escalation.on_call.state import Observed, replay
from shared.database.cursors import Cursors
from shared.domain.events import OnCallHistoryEvent, is_on_call_history
from shared.domain.identifiers import on_call_history_stream
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.entry import GENESIS
from shared.eventlog.epochs import read_epochs
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

_FROM = (
    SELECT_ROWS + "WHERE originator_id = %s AND originator_version >= %s "
    "ORDER BY originator_version"
)
_WATERMARK = "SELECT upto, epoch FROM escalation.on_call_watermark"
_ADVANCE = """
INSERT INTO escalation.on_call_watermark (upto, epoch) VALUES (%s, %s)
ON CONFLICT (one) DO UPDATE SET upto = excluded.upto, epoch = excluded.epoch
"""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Held:
    observed: Observed
    chain: bytes


@dataclass(eq=False)
class HistoryStore:
    """The histories of all schedules; used by one thread at a time."""

    log: EventLog
    _held: dict[str, _Held] = field(default_factory=dict, init=False)

    def watermark(self, cursor: Cursors) -> datetime | None:
        """Return up to when all schedules were observed; None if that is unknown."""
        row = cursor.execute(_WATERMARK).fetchone()
        if row is None or row[1] != read_epochs(cursor).newest.id.number:
            return None
        upto: datetime = row[0]
        return upto

    def advance(self, cursor: Cursors, upto: datetime) -> None:
        """Keep up to when all schedules were observed."""
        epoch = read_epochs(cursor).newest.id.number
        cursor.execute(_ADVANCE, (upto, epoch))

    def observed(
        self, cursor: Cursors, schedule: str, upto: datetime | None, now: datetime
    ) -> Observed:
        """Return what is observed of a schedule.

        All up to `upto` was recorded. If that is unknown, the newest hand-over says up
        to when; a schedule without any is observed from `now` on.
        """
        held = self._held.get(schedule) or _Held(Observed(schedule, _NEVER), GENESIS)
        rows = self._rows(cursor, schedule, held.observed.version)
        if held.observed.version and (not rows or rows[0].chain != held.chain):
            held = _Held(Observed(schedule, _NEVER), GENESIS)
            rows = self._rows(cursor, schedule, 0)
        fresh = [row for row in rows if row.version > held.observed.version]
        if fresh:
            observed = replay(held.observed, self._events(fresh))
            observed = replace(observed, version=fresh[-1].version)
            held = self._held[schedule] = _Held(observed, fresh[-1].chain)
        newest = held.observed.upto
        since = max(newest, upto) if upto else newest
        return replace(held.observed, upto=now if since == _NEVER else since)

    def append(
        self, cursor: Cursors, before: Observed, events: Sequence[OnCallHistoryEvent]
    ) -> None:
        """Append events to the history of a schedule, as the last statement.

        Raises `StaleVersion` if another process was faster.
        """
        stream = on_call_history_stream(before.schedule)
        stored = tuple(
            self.log.stored(stream, version, event)
            for version, event in enumerate(events, before.version + 1)
        )
        (outcome,) = self.log.append(cursor, [AppendUnit(stored)])
        if not isinstance(outcome, Recorded):
            raise StaleVersion(f"{stream} is no longer at {before.version}")

    def _rows(self, cursor: Cursors, schedule: str, version: int) -> list[Row]:
        given = (on_call_history_stream(schedule), version)
        rows = cursor.execute(_FROM, given, binary=True).fetchall()
        return [Row(*row) for row in rows]

    def _events(self, rows: Sequence[Row]) -> Sequence[OnCallHistoryEvent]:
        found = (self.log.entry(row).event for row in rows)
        return [event for event in found if is_on_call_history(event)]
