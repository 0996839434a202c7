"""Whatever happened, metrics know who is open, and nobody comes in or leaves unseen."""

from collections import Counter
from datetime import datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.projections.metrics.projection import record_of, step
from services.projections.metrics.state import Fact, IncidentState, State
from services.projections.metrics.store import columns, from_json
from services.projections.metrics.tables import rows
from shared.domain.events import IncidentEvent
from shared.domain.incident import IN_STOCK, Incident, Status, evolve
from shared.eventlog.entry import Entry
from tests.support.strategies.histories import histories


def folded(entries: list[Entry]) -> dict[str, State]:
    """Return what metrics remember of each record."""
    states: dict[str, State] = {}
    for entry in entries:
        record = record_of(entry.stream) or ""
        after = step(states.get(record), entry)
        if after is not None:
            states[record] = after
    return states


def replayed(entries: list[Entry], before: datetime) -> dict[str, Incident]:
    """Return each incident as it was known before an instant, by its own events."""
    states: dict[str, Incident] = {}
    for entry in entries:
        if entry.recorded_at < before:
            event: IncidentEvent = entry.event  # type: ignore[assignment] # only such are drawn
            states[event.incident] = evolve(states.get(event.incident), event)
    return states


def _facts(states: dict[str, State], kind: str) -> list[Fact]:
    return [f for state in states.values() for f in state.facts if f.kind == kind]


def _open_before(facts: list[Fact], at: datetime) -> int:
    return sum(f.since < at and (f.until is None or f.until >= at) for f in facts)


@given(histories())
def test_metrics_know_where_an_incident_stands(entries: list[Entry]) -> None:
    last = entries[-1].recorded_at
    states = replayed(entries, datetime.max.replace(tzinfo=last.tzinfo))

    lives = folded(entries)

    assert lives.keys() == states.keys()
    for ref, life in lives.items():
        assert isinstance(life, IncidentState)
        state = states[ref]
        assert life.status == state.status
        assert life.acknowledged == (state.acknowledged_at is not None)
        assert life.restored == (state.restored_at is not None)
        assert life.dims.team == state.team
        assert life.dims.service == state.service
        assert life.dims.client == state.client
        assert life.dims.priority == state.priority
        assert life.dims.category == state.category


@given(histories(), st.data())
def test_the_balance_is_true_of_every_period(
    entries: list[Entry], data: st.DataObject
) -> None:
    instants = sorted({entry.recorded_at for entry in entries})
    start = data.draw(st.sampled_from(instants))
    end = data.draw(st.sampled_from([i for i in instants if i >= start]))
    stays = _facts(folded(entries), "stock")
    came = Counter(f.word for f in stays if start <= f.since < end)
    left = Counter(f.ended for f in stays if f.until and start <= f.until < end)

    known = replayed(entries, end)
    in_stock = [i for i in known.values() if i.status in IN_STOCK]

    assert set(left) <= {"closed", "cancelled", "redirected", "merged"}
    assert _open_before(stays, start) + came.total() - left.total() == len(in_stock)
    assert _open_before(stays, end) == len(in_stock)
    awaiting = [i for i in in_stock if i.status is Status.RESOLVED]
    assert _open_before(_facts(folded(entries), "awaiting"), end) == len(awaiting)


@given(histories(), st.data())
def test_events_seen_again_change_nothing(
    entries: list[Entry], data: st.DataObject
) -> None:
    again = data.draw(st.integers(0, len(entries)))
    back = data.draw(st.integers(0, again))

    repeated = folded([*entries[:again], *entries[back:again], *entries[again:]])

    assert repeated == folded(entries)


@given(histories())
def test_what_is_from_json_comes_back_from_its_stored_form(
    entries: list[Entry],
) -> None:
    for state in folded(entries).values():
        record, stored = columns(state)
        assert from_json(record, orjson.dumps(stored.obj)) == state


@given(histories())
def test_nothing_is_from_json_but_what_has_a_name(entries: list[Entry]) -> None:
    for life in folded(entries).values():
        assert isinstance(life, IncidentState)
        parts = (life, life.dims, *life.facts, *life.pauses)
        assert all(
            list(vars(part)) == list(type(part).__annotations__) for part in parts
        )


@given(histories(), st.data())
def test_no_row_ever_goes_away(entries: list[Entry], data: st.DataObject) -> None:
    until = data.draw(st.integers(1, len(entries)))
    earlier, later = folded(entries[:until]), folded(entries)

    for ref, state in earlier.items():
        before = {row[:3] for row in rows(state, {})}
        assert before <= {row[:3] for row in rows(later[ref], {})}
