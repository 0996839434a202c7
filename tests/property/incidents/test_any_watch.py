"""Promises end as they must, however late, often or oddly the watcher looks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.sla_watcher.clocks.case import Case, PolicyOf
from shared.domain.events import is_incident_event, is_sla_event
from shared.domain.events.notification import NotificationConfirmed
from shared.domain.events.sla import SlaMet, SlaWarned
from shared.domain.incident import AT_WORK, replay
from shared.domain.incident.deliveries import is_spoken
from shared.domain.incident.reporters import NOBODY
from shared.domain.policy.document import Policy
from shared.domain.sla import Clock, ClockName, evolve, named, whole
from shared.domain.sla.clock import ENDED, WHOLE
from shared.eventlog.entry import Entry
from shared.process_manager.process import Desk
from tests.support.builders.incidents_with_escalation import SEEKING, streams
from tests.support.builders.promises import watching
from tests.support.examples import examples
from tests.support.policies import full
from tests.support.strategies.command_scripts import Step, play, scripts

many = examples(60)
_OWED = "ola: {n1: {own: 5m, work: 20m}, n2: {own: 10m, work: 50%}, n3: {own: 1h}}"
POLICIES = (
    full(),
    full(("stops_at: resolved", "stops_at: restored")),
    full(
        ("warn: [50%, 90%]", "warn: [50%, 120%, 1h before, 10m before, 15m after]"),
        ("levels: {n1: 15m, n2: 40%}", f"levels: {{n1: 15m, n2: 40%}}\n    {_OWED}"),
    ),
)
policies = st.sampled_from(POLICIES)
YEARS_LATER = timedelta(days=800)

Watcher = Desk[Case, PolicyOf]


def watcher(incident: str, policy: Policy) -> Watcher:
    return Desk(incident, watching(policy), lambda _: policy, None, {})


def always_on_time(desk: Watcher, until: datetime) -> None:
    while (due := desk.next_at()) is not None and due <= until:
        desk.reach(due, due)


def said(desk: Watcher) -> list[tuple[int, dict[str, Any]]]:
    """Return what was decided, without when it was noticed."""
    return [
        (version, event.model_dump(exclude={"at"}))
        for _, version, event in desk.decided
    ]


def watched(
    incident: str, entries: Sequence[Entry], policy: Policy, *, late: bool
) -> Watcher:
    desk = watcher(incident, policy)
    at = entries[-1].recorded_at + YEARS_LATER
    for entry in entries:
        if not late:
            always_on_time(desk, entry.recorded_at)
        desk.take(entry, at)
    return desk


@many
@given(scripts(), policies, SEEKING)
def test_a_late_watcher_says_what_one_on_time_said(
    script: list[Step], policy: Policy, seeking: list[str]
) -> None:
    for incident, entries in streams(play(script).log, seeking).items():
        on_time = watched(incident, entries, policy, late=False)
        late = watched(incident, entries, policy, late=True)

        assert said(late) == said(on_time)


@many
@given(scripts(), policies, SEEKING, st.data())
def test_repeats_and_looks_in_between_change_nothing(
    script: list[Step], policy: Policy, seeking: list[str], data: st.DataObject
) -> None:
    for incident, entries in streams(play(script).log, seeking).items():
        plain = watched(incident, entries, policy, late=True)
        desk = watcher(incident, policy)
        for n, entry in enumerate(entries):
            desk.take(entry, entry.recorded_at)
            for again in data.draw(st.lists(st.sampled_from(entries[: n + 1]))):
                desk.take(again, entry.recorded_at)
            desk.reach(entry.recorded_at, entry.recorded_at)

        assert said(desk) == said(plain)


@many
@given(scripts(), policies, SEEKING)
def test_every_promise_ends_in_exactly_one_way_once_nothing_is_left_to_do(
    script: list[Step], policy: Policy, seeking: list[str]
) -> None:
    for incident, entries in streams(play(script).log, seeking).items():
        desk = watched(incident, entries, policy, late=True)
        always_on_time(desk, entries[-1].recorded_at + YEARS_LATER)
        state = replay(e.event for e in entries if is_incident_event(e.event))
        assert state is not None
        assert desk.case is not None
        over = state.status not in AT_WORK

        for clock in desk.case.clocks:
            current = clock.name.cycle == state.cycle
            stands = clock.standing_since is not None
            assert clock.state in ENDED or (current and not over and stands), clock
        names = [clock.name for clock in desk.case.clocks]
        assert len(names) == len(set(names))


@many
@given(scripts(), policies, SEEKING)
def test_a_breach_is_said_once_and_never_taken_back(
    script: list[Step], policy: Policy, seeking: list[str]
) -> None:
    for incident, entries in streams(play(script).log, seeking).items():
        desk = watched(incident, entries, policy, late=True)
        clocks: tuple[Clock, ...] = ()
        broken: list[object] = []
        for _, _, event in desk.decided:
            assert is_sla_event(event)
            clocks = evolve(clocks, event)
            if event.type == "sla.breached":
                broken.append((event.target, event.cycle, event.round))
        assert len(broken) == len(set(broken))
        assert {tuple(c.name) for c in clocks if c.state == "breached"} == set(broken)


@many
@given(scripts(), policies, SEEKING)
def test_nothing_is_said_of_an_instant_before_the_one_said_before_it(
    script: list[Step], policy: Policy, seeking: list[str]
) -> None:
    for incident, entries in streams(play(script).log, seeking).items():
        desk = watched(incident, entries, policy, late=True)
        case = desk.case

        assert case is not None
        for clock in case.clocks:
            ends = (clock.breached_at, clock.ended_at)
            assert all(end >= clock.started_at for end in ends if end), clock
            assert all(stop.since <= stop.until for stop in clock.stopped), clock


@many
@given(scripts(), policies, SEEKING)
def test_each_point_of_each_target_is_warned_of_once_and_on_its_side_of_the_breach(
    script: list[Step], policy: Policy, seeking: list[str]
) -> None:
    for incident, entries in streams(play(script).log, seeking).items():
        desk = watched(incident, entries, policy, late=True)
        always_on_time(desk, entries[-1].recorded_at + YEARS_LATER)
        clocks: tuple[Clock, ...] = ()
        for _, _, event in desk.decided:
            assert is_sla_event(event)
            before = named(clocks, ClockName(event.target, event.cycle, event.round))
            clocks = evolve(clocks, event)
            if isinstance(event, SlaWarned):
                assert before is not None
                late = (event.percent or 0) > WHOLE or event.after_seconds is not None
                assert (before.breached_at is not None) == late
                assert event.warned_at >= (before.breached_at or before.set_at)
                assert event.percent not in before.warned
                offset = (event.after_seconds or 0) - (event.before_seconds or 0)
                assert event.percent or offset not in before.warned_offsets
                assert (event.retargets or 0) == before.retargets


INFORMED = full(
    ("update: {p1: 20m, p3: 4h}", "update: {p1: 20m, p2: 40m, p3: 4h, p4: 4h}")
)


@many
@given(scripts(), SEEKING)
def test_no_update_is_met_unless_a_message_arrived_or_somebody_said_so(
    script: list[Step], seeking: list[str]
) -> None:
    for incident, entries in streams(play(script).log, seeking).items():
        desk = watched(incident, entries, INFORMED, late=True)
        heard, users = set[datetime](), NOBODY
        for entry in entries:
            users = users.after(entry.event)
            arrived = isinstance(entry.event, NotificationConfirmed)
            if arrived or is_spoken(entry.event, users.all):
                heard.add(whole(entry.recorded_at))
        for _, _, event in desk.decided:
            if isinstance(event, SlaMet) and event.target == "update":
                assert event.met_at in heard
