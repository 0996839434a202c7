"""Whatever happened, the queue's row says what the incident's own state says."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow
from services.projections.queue.store import cells, difference
from services.projections.queue.tables import Cell
from shared.domain import events
from shared.domain.identifiers import about
from shared.domain.incident import IN_STOCK, Incident, evolve
from shared.domain.sla import Clock, ClockName, named
from shared.domain.sla import evolve as evolve_clocks
from shared.domain.sla.evolve import Clocks
from shared.eventlog.entry import Entry
from tests.support.strategies.interleaved_streams import stories

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


def _rows(entries: Iterable[Entry]) -> dict[str, QueueRow | None]:
    rows: dict[str, QueueRow | None] = {}
    for entry in entries:
        ref = about(entry.stream) or ""
        rows[ref] = project(rows.get(ref), entry)
    return rows


def _of_incidents(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if events.is_incident_event(entry.event)]


@given(stories(always_opened=True))
def test_a_row_says_what_the_state_says(entries: list[Entry]) -> None:
    states: dict[str, Incident] = {}
    for entry in entries:
        if events.is_incident_event(event := entry.event):
            states[event.incident] = evolve(states.get(event.incident), event)

    rows = _rows(entries)

    assert rows.keys() == states.keys()
    for ref, row in rows.items():
        assert row
        assert {n: getattr(row, n) for n in _SAME} == {
            n: getattr(states[ref], n) for n in _SAME
        }
        assert row.own_team == states[ref].team
        assert row.root_cause == states[ref].root_cause
        assert row.user_reported == (states[ref].reporter is not None)
        assert (row.ended_at is None) == (row.status in IN_STOCK)


@given(stories(always_opened=True))
def test_a_row_says_of_promises_what_the_clocks_say(entries: list[Entry]) -> None:
    clocks: dict[str, Clocks] = {}
    lawful: list[Entry] = []
    for entry in entries:
        if not events.is_sla_event(event := entry.event):
            lawful.append(entry)
            continue
        held = clocks.get(event.incident, ())
        if _can_be(event, held):
            clocks[event.incident] = evolve_clocks(held, event)
            lawful.append(entry)

    rows = _rows(lawful)

    for ref, row in rows.items():
        assert row
        now = [
            clock for clock in clocks.get(ref, ()) if _counts(clock, row, clocks[ref])
        ]
        due = [clock.due_at for clock in now if clock.due_at and clock.measures]
        assert row.due_at == min(due, default=None)
        assert row.breached == any(clock.breached_at for clock in now)


def _can_be(event: events.SlaEvent, held: Clocks) -> bool:
    """Tell whether a watcher could say this: of these it may draw any order."""
    clock = named(held, ClockName(event.target, event.cycle, event.round))
    match event:
        case events.SlaArmed():
            return clock is None
        case events.SlaContinued():
            return clock is not None and not clock.measures
        case events.SlaBreached(due_at=due_at):
            return clock is not None and clock.is_open and clock.due_at == due_at
        case events.SlaOverran():
            return clock is not None and clock.measures and not clock.is_open
        case _:
            return clock is not None and clock.measures


def _counts(clock: Clock, row: QueueRow, all_: Clocks) -> bool:
    """Tell whether a clock is of the incident's cycle, and no later one has begun."""
    target, cycle, _ = clock.name
    shown = {"tto", "ttr"}
    cycles = (other.name.cycle for other in all_ if other.name.target in shown)
    begun = max(cycles, default=0)
    return target in shown and cycle == row.cycle == begun


@given(stories(always_opened=True))
def test_a_row_is_the_same_whichever_stream_is_heard_first(
    entries: list[Entry],
) -> None:
    own = _of_incidents(entries)
    others = [entry for entry in entries if entry not in own]
    by_stream = sorted(others, key=lambda entry: (entry.stream, entry.position))

    assert _rows([*own, *by_stream]) == _rows([*own, *others]) == _rows(entries)
    opening = [entry for entry in own if entry.version == 1]
    late = [entry for entry in own if entry.version > 1]
    assert _rows([*opening, *others, *late]) == _rows(entries)


@given(stories(always_opened=True), st.data())
def test_events_seen_again_change_nothing(
    entries: list[Entry], data: st.DataObject
) -> None:
    again = data.draw(st.integers(0, len(entries)))
    back = data.draw(st.integers(0, again))

    repeated = _rows([*entries[:again], *entries[back:again], *entries[again:]])

    assert repeated == _rows(entries)


@given(stories(always_opened=True), st.data())
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
            ref = about(entry.stream) or ""
            rows[ref] = project(rows.get(ref), entry)
        counts.update(difference((before.get(ref), row) for ref, row in rows.items()))

    counted = Counter(cell for row in rows.values() for cell in cells(row))
    assert +counts == counted
    assert min(counts.values(), default=0) >= 0
