"""Whatever happened, the queue's row says what the incident's own state says."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.projections.queue.counts import Cell, cells, difference
from services.projections.queue.project import project
from services.projections.queue.row import QueueRow
from shared.entry import Entry
from shared.events import IncidentEvent
from shared.incident import IN_STOCK, Incident, evolve
from shared.references import incident_of
from tests.support.histories import histories

_SAME = [
    "ref",
    "title",
    "status",
    "priority",
    "impact",
    "urgency",
    "service",
    "category",
    "client",
    "team",
    "assignee",
    "reporter",
    "origin",
    "opened_at",
    "reported_at",
    "acknowledged_at",
    "restored_at",
    "cycle",
    "merged_into",
]


def _rows(entries: list[Entry]) -> dict[str, QueueRow | None]:
    rows: dict[str, QueueRow | None] = {}
    for entry in entries:
        ref = incident_of(entry.stream) or ""
        rows[ref] = project(rows.get(ref), entry)
    return rows


@given(histories())
def test_a_row_says_what_the_state_says(entries: list[Entry]) -> None:
    states: dict[str, Incident] = {}
    for entry in entries:
        event: IncidentEvent = entry.event  # type: ignore[assignment] # only such are drawn
        states[event.incident] = evolve(states.get(event.incident), event)

    rows = _rows(entries)

    assert rows.keys() == states.keys()
    for ref, row in rows.items():
        assert row
        assert {n: getattr(row, n) for n in _SAME} == {
            n: getattr(states[ref], n) for n in _SAME
        }
        assert (row.ended_at is None) == (row.status in IN_STOCK)


@given(histories(), st.data())
def test_events_seen_again_change_nothing(
    entries: list[Entry], data: st.DataObject
) -> None:
    again = data.draw(st.integers(0, len(entries)))
    back = data.draw(st.integers(0, again))

    repeated = _rows([*entries[:again], *entries[back:again], *entries[again:]])

    assert repeated == _rows(entries)


@given(histories(), st.data())
def test_counts_moved_batch_by_batch_equal_the_rows_counted(
    entries: list[Entry], data: st.DataObject
) -> None:
    counts: Counter[Cell] = Counter()
    rows: dict[str, QueueRow | None] = {}
    while entries:
        size = data.draw(st.integers(1, len(entries)))
        batch, entries = entries[:size], entries[size:]
        before = dict(rows)
        for entry in batch:
            ref = incident_of(entry.stream) or ""
            rows[ref] = project(rows.get(ref), entry)
        counts.update(difference((before.get(ref), row) for ref, row in rows.items()))

    counted = Counter(cell for row in rows.values() for cell in cells(row))
    assert +counts == counted
    assert min(counts.values(), default=0) >= 0
