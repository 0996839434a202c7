"""How a trouble stands now, looked up by what its source calls it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.intake.pipeline.explaining import explained
from services.intake.pipeline.key_row import KeyRow
from services.intake.record_cache import UNOPENED, replayed_records
from services.intake.signal_keys import read_keys
from services.intake.signals import signal_key
from shared.eventlog.log import EventLog

SOURCES_MAX = 1_000
"""Sources that are looked through for a key whose source nobody names."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What has not taken effect yet, by which rule, and until when."""

    rule: str
    rule_of: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """Why there is an incident for a trouble, or none."""

    source: str
    dedup_key: str
    signal_key: str
    state: str
    sentence: str
    incident: str | None
    status: str | None
    """Of the incident."""
    severity: str | None
    last_occurred_at: datetime | None
    last_told_at: datetime | None
    """When the log was last told of it."""
    repeats: int
    held: HeldBack | None
    flapping_since: datetime | None
    due_at: datetime | None
    """When time alone changes something."""


def decisions(log: EventLog, sources: Iterable[str], dedup_key: str) -> list[Decision]:
    """Return how the trouble of that key stands at each source that has it."""
    asked = sorted(set(sources))[:SOURCES_MAX]
    with log.transaction() as cursor:
        keys = [signal_key(source, dedup_key) for source in asked]
        rows, _, unreadable = read_keys(cursor, keys, log.vault)
        refs = [row.incident for row in rows.values() if row.incident]
        states = replayed_records(log, cursor, refs)
    found = []
    for row in sorted(rows.values(), key=lambda each: each.source):
        state = states.get(row.incident or "", UNOPENED)
        status = str(state.incident.status) if state.incident else None
        sentence = explained(row, state.incident)
        if state.unreadable:
            why = f"cannot be read at present ({state.unreadable})"
            sentence = f"{row.incident} is for it and {why}: its signals wait."
        if row.signal_key in unreadable:
            why = f"cannot be read at present ({unreadable[row.signal_key]})"
            sentence = f"What was held of it {why}: its signals wait."
        found.append(_decision(row, dedup_key, sentence, status))
    return found


def known_sources(log: EventLog) -> list[str]:
    """Return the sources that have keys: of their tokens the names."""
    with log.transaction() as cursor:
        rows = cursor.execute(_SOURCES, (SOURCES_MAX,)).fetchall()
    return [source for (source,) in rows]


_SOURCES = """
SELECT DISTINCT substr(actor, 8) FROM access.tokens
WHERE actor LIKE 'source:%%' ORDER BY 1 LIMIT %s
"""


def _decision(
    row: KeyRow, dedup_key: str, sentence: str, status: str | None
) -> Decision:
    held = row.held
    return Decision(
        source=row.source,
        dedup_key=dedup_key,
        signal_key=row.signal_key,
        state=row.state,
        sentence=sentence,
        incident=row.incident,
        status=status,
        severity=row.severity,
        last_occurred_at=row.last_occurred_at,
        last_told_at=row.last_summary_at,
        repeats=row.repeats,
        held=HeldBack(held.code, held.of, held.since, held.until) if held else None,
        flapping_since=row.life.flapping_since,
        due_at=row.due_at,
    )
