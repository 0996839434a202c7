"""Whatever people and monitors do, in whatever order, some things stay true."""

from collections import Counter
from dataclasses import fields
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import IncidentEvent, events
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentClosed,
    IncidentOpened,
    IncidentRedirected,
    IncidentReopened,
)
from shared.domain.events.incident_ties import IncidentMerged, IncidentUnmerged
from shared.domain.incident import AT_WORK, IN_STOCK, Incident, Status, replay
from tests.support.examples import examples
from tests.support.strategies.command_scripts import Step, play, scripts

many = examples(100)
NAMES = {each.name for each in fields(Incident)}


def split_by_incident(log: list[IncidentEvent]) -> dict[str, list[IncidentEvent]]:
    streams: dict[str, list[IncidentEvent]] = {}
    for event in log:
        streams.setdefault(event.incident, []).append(event)
    return streams


def in_stock(log: list[IncidentEvent]) -> int:
    states = [replay(stream) for stream in split_by_incident(log).values()]
    return sum(state is not None and state.status in IN_STOCK for state in states)


def moved(event: IncidentEvent) -> int:
    """Return what an event adds to the stock, by the definition of the balance."""
    match event:
        case IncidentOpened() | IncidentUnmerged():  # recorded and split; unmerged
            return 1
        case IncidentReopened(after_closure=True):
            return 1
        case IncidentClosed() | IncidentCancelled() | IncidentMerged():
            return -1
        case IncidentRedirected():
            return -1
        case _:
            return 0


@many
@given(scripts())
def test_repeating_every_command_adds_no_event(script: list[Step]) -> None:
    assert play(script, times=2).log == play(script).log


@many
@given(scripts())
def test_an_incident_is_what_its_stream_says_after_the_wire_too(
    script: list[Step],
) -> None:
    desk = play(script)

    for ref, stream in split_by_incident(desk.log).items():
        wired = [events.validate_json(events.dump_json(event)) for event in stream]
        assert wired == stream
        assert replay(stream) == desk.incidents[ref]


@many
@given(scripts(), st.lists(st.integers(0, 100)))
def test_the_balance_holds_for_any_partition(
    script: list[Step], cuts: list[int]
) -> None:
    log = play(script).log
    marks = sorted({0, len(log), *(cut for cut in cuts if cut < len(log))})

    for start, end in pairwise(marks):
        in_between = sum(moved(event) for event in log[start:end])
        assert in_stock(log[:start]) + in_between == in_stock(log[:end])


@many
@given(scripts())
def test_states_make_sense(script: list[Step]) -> None:
    for incident in play(script).incidents.values():
        assert set(vars(incident)) == NAMES
        assert (incident.pause is not None) == (incident.status is Status.PAUSED)
        assert (incident.merged_into is not None) == (incident.status is Status.MERGED)
        if incident.status in {Status.RESOLVED, Status.CLOSED}:
            assert incident.restored_at is not None
            assert incident.resolved_at is not None
            assert incident.reported_at <= incident.restored_at <= incident.resolved_at
        if incident.status is Status.ACKNOWLEDGED:
            assert incident.acknowledged_at is not None
        if incident.status is Status.NEW:
            assert incident.acknowledged_at is None


@many
@given(scripts())
def test_a_trouble_has_one_incident_at_work_at_most(script: list[Step]) -> None:
    desk = play(script)
    at_work = [each for each in desk.incidents.values() if each.status in AT_WORK]
    held = Counter(key for incident in at_work for key in incident.signals)

    assert not [key for key, number in held.items() if number > 1]
    for incident in at_work:
        for key, state in incident.signals.items():
            assert desk.rows[key].incident == incident.ref
            assert desk.rows[key].state == state


@many
@given(scripts())
def test_only_people_take_an_incident_on_and_once_a_cycle(script: list[Step]) -> None:
    for stream in split_by_incident(play(script).log).values():
        taken_in_cycle = 0
        for event in stream:
            match event:
                case IncidentReopened():
                    taken_in_cycle = 0
                case IncidentAcknowledged():
                    assert event.by.startswith("person:")
                    taken_in_cycle += 1
                case _:
                    pass
            assert taken_in_cycle <= 1


@many
@given(scripts())
def test_whose_words_are_sealed_is_always_said(script: list[Step]) -> None:
    for event in play(script).log:
        personal = {"title", "note", "words", "reason", "message", "question"}
        spoken = [name for name in personal if getattr(event, name, None)]
        if event.type not in {"incident.cancelled", "incident.paused"}:
            assert not spoken or event.whose is not None
        elif spoken != ["reason"]:
            assert event.whose is not None
