"""Help is sought and people are told alike, however late, often or oddly we look."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from services.escalation.rules.case import Case
from services.escalation.rules.context import EscalationContext, everybody_by_mail
from shared.domain.commands.incident import Open, Resolve
from shared.domain.contact_methods import UNVERIFIED, ContactMethod, ContactMethods
from shared.domain.events import AnyEvent, IncidentEvent
from shared.domain.events.contact_method import (
    NotificationRule,
    PersonNotificationRulesSet,
    QuietHours,
)
from shared.domain.events.escalation import (
    Escalated,
    EscalationExhausted,
    EscalationPaged,
    EscalationReturned,
)
from shared.domain.events.incident import IncidentAssigned
from shared.domain.events.notification import (
    NotificationPlanned,
    NotificationRequested,
)
from shared.domain.events.problem import (
    ProblemIncidentLinked,
    ProblemWorkaroundPublished,
)
from shared.domain.identifiers import incident_stream, problem_stream, sla_stream
from shared.domain.incident import AT_WORK, Incident, replay
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import RANK
from shared.eventlog.entry import Entry
from shared.process_manager.process import Desk
from tests.support.builders.escalation import knowing, rules, without_steps
from tests.support.builders.promises import watching
from tests.support.desks.pure import Command
from tests.support.examples import examples
from tests.support.policies import full
from tests.support.strategies.command_scripts import Step, play, scripts

many = examples(60)
OF_A_TEAM = full(
    (
        "{after: 0m, page: {schedule: garde, who: on_call}}",
        "{after: 0m, page: [{schedule: garde, who: on_call}, {channel: salle}]}",
    ),
    (
        "manager: ghislaine, skills:",
        "channels: {salle: {channel: ntfy}}, manager: ghislaine, skills:",
    ),
)
LAPSING = full(
    (
        "acknowledged_for: 3h",
        (
            "acknowledged_for: {p1: 25m, p2: 3h, p3: 3h}\n"
            "  accepted_for: {p1: 25m, p2: 1h, p3: 2h, p4: never}"
        ),
    ),
)
POLICIES = (OF_A_TEAM, without_steps(full()), LAPSING)
policies = st.sampled_from(POLICIES)
WEEKS_LATER = timedelta(days=21)
PROBLEM = "PRB-000001"

Searcher = Desk[Case, EscalationContext]


def whole_log(
    log: Sequence[IncidentEvent], policy: Policy, problems: Sequence[int]
) -> dict[str, list[Entry]]:
    """Return what the log holds about each incident.

    Its own events, what the SLA watcher says to them on time, and here and there what
    Problem Management does.
    """
    found: dict[str, list[Entry]] = {}
    numbers = count(1)
    for incident in dict.fromkeys(event.incident for event in log):
        own = [event for event in log if event.incident == incident]
        found[incident] = _with_sla(incident, own, policy, numbers, problems)
    return found


def _with_sla(
    incident: str,
    own: Sequence[IncidentEvent],
    policy: Policy,
    numbers: Any,
    problems: Sequence[int],
) -> list[Entry]:
    work = watching(policy)
    watch = Desk(incident, work, lambda _: policy, None, {})
    entries: list[Entry] = []

    def record(stream: str, event: AnyEvent, at: datetime) -> Entry:
        version = 1 + sum(each.stream == stream for each in entries)
        entry = Entry(next(numbers), stream, version, event.type, at, None, event)
        entries.append(entry)
        return entry

    def hear(at: datetime) -> None:
        for _, _, event in watch.decided:
            record(sla_stream(incident), event, at)
        watch.decided.clear()

    for n, event in enumerate(own):
        while (due := watch.next_at()) is not None and due <= event.at:
            watch.reach(due, due)
            hear(due)
        entry = record(incident_stream(incident), event, event.at)
        watch.take(entry, event.at)
        hear(event.at)
        for problem in _problem(n, problems, incident, event.at):
            record(problem_stream(PROBLEM), problem, event.at)
    return entries


def _problem(
    n: int, problems: Sequence[int], incident: str, at: datetime
) -> list[AnyEvent]:
    common: dict[str, Any] = {
        "problem": PROBLEM,
        "policy": 1,
        "at": at,
        "by": "person:helene",
    }
    if n not in problems:
        return []
    return [
        ProblemIncidentLinked(**common, incident=incident),
        ProblemWorkaroundPublished(**common, workaround="x"),
    ]


REACHED = ContactMethods(
    {
        each.id: each
        for each in (
            ContactMethod("mail", "mail", is_verified=True),
            ContactMethod("own.1", "sms", is_verified=True),
            ContactMethod("own.2", "ntfy", is_verified=True),
        )
    },
    PersonNotificationRulesSet(
        at=datetime(2025, 1, 1, tzinfo=UTC),
        by="person:own",
        person="own",
        important=(
            NotificationRule(method="own.1", repeat=3),
            NotificationRule(method="mail", delay_seconds=60),
        ),
        quiet_hours=QuietHours(start="20:00", end="07:00", zone="Europe/Paris"),
    ),
)
"""How some people are reached; others have an address, verified or not."""


def methods_of(people: Sequence[str]) -> Mapping[str, ContactMethods]:
    """Return how people are reached: each third by rules, each third unverified."""
    ways = (everybody_by_mail([""])[""], REACHED, UNVERIFIED)
    return {person: ways[len(person) % len(ways)] for person in people}


def searcher(incident: str, policy: Policy, entries: Sequence[Entry]) -> Searcher:
    known = knowing(policy, entries, webhook=True, methods_of=methods_of)
    return Desk(incident, rules(known), known, None, {})


def on_time(desk: Searcher, until: datetime) -> None:
    while (due := desk.next_at()) is not None and due <= until:
        desk.reach(due, due)


def said(desk: Searcher) -> list[tuple[str, int, dict[str, Any]]]:
    """Return what was decided, without when it was noticed."""
    return [
        (stream, version, event.model_dump(exclude={"at"}))
        for stream, version, event in desk.decided
    ]


def lasting(desk: Searcher) -> list[tuple[str, int, dict[str, Any]]]:
    """Return what was decided, without what a manager was told again.

    A late service tells them once. Versions count what is left, since keys of messages
    follow from them.
    """
    again = {
        (stream, version)
        for stream, version, event in desk.decided
        if isinstance(event, EscalationExhausted)
    }
    numbers: dict[tuple[str, int], int] = {}
    kept = []
    for stream, version, event in desk.decided:
        about = _cause(event)
        if (stream, version) in again or about in again:
            continue
        number = 1 + sum(of == stream for of, _ in numbers)
        numbers[stream, version] = number
        words = event.model_dump(exclude={"at", "key", "cause_version"})
        kept.append((stream, number, words | {"about": numbers.get(about, about)}))
    return kept


def _cause(event: AnyEvent) -> tuple[str, int]:
    if isinstance(event, NotificationRequested | NotificationPlanned):
        return event.cause_stream, event.cause_version
    return "", 0


def exhausted(desk: Searcher) -> set[tuple[str, datetime]]:
    """Return when the manager was told that nobody accepted it, and by which key."""
    return {
        (event.key, event.exhausted_at)
        for _, _, event in desk.decided
        if isinstance(event, EscalationExhausted)
    }


def sought(
    incident: str, entries: Sequence[Entry], policy: Policy, *, late: bool
) -> Searcher:
    desk = searcher(incident, policy, entries)
    at = entries[-1].recorded_at + WEEKS_LATER
    for entry in entries:
        if not late:
            on_time(desk, entry.recorded_at)
        desk.take(entry, at)
    on_time(desk, at)
    return desk


def states_at(instant: datetime, own: Sequence[Entry]) -> list[Incident | None]:
    """Return each state an incident had at an instant: several events may share it."""
    before = sum(each.recorded_at < instant for each in own)
    until = sum(each.recorded_at <= instant for each in own)
    events = [each.event for each in own]
    return [replay(events[:n]) for n in range(before, until + 1)]  # type: ignore[arg-type] # its own


@many
@given(scripts(), policies, st.lists(st.integers(0, 12)))
def test_a_late_service_says_what_one_on_time_said(
    script: list[Step], policy: Policy, problems: list[int]
) -> None:
    for incident, entries in whole_log(play(script).log, policy, problems).items():
        prompt = sought(incident, entries, policy, late=False)
        late = sought(incident, entries, policy, late=True)

        assert lasting(late) == lasting(prompt)
        assert exhausted(late) <= exhausted(prompt)


@many
@given(scripts(), policies, st.data())
def test_repeats_and_looks_in_between_change_nothing(
    script: list[Step], policy: Policy, data: st.DataObject
) -> None:
    for incident, entries in whole_log(play(script).log, policy, [1, 4]).items():
        plain = sought(incident, entries, policy, late=True)
        desk = searcher(incident, policy, entries)
        for n, entry in enumerate(entries):
            desk.take(entry, entry.recorded_at)
            for again in data.draw(st.lists(st.sampled_from(entries[: n + 1]))):
                desk.take(again, entry.recorded_at)
            desk.reach(entry.recorded_at, entry.recorded_at)
        on_time(desk, entries[-1].recorded_at + WEEKS_LATER)

        assert said(desk) == said(plain)


@many
@given(scripts(), policies)
def test_a_case_written_down_and_read_again_decides_alike(
    script: list[Step], policy: Policy
) -> None:
    for incident, entries in whole_log(play(script).log, policy, [1, 4]).items():
        plain = sought(incident, entries, policy, late=True)
        desk = searcher(incident, policy, entries)
        adapter = desk.work.adapter
        for entry in entries:
            desk.take(entry, entry.recorded_at)
            if desk.case is not None:
                desk.case = adapter.validate_json(adapter.dump_json(desk.case))
        on_time(desk, entries[-1].recorded_at + WEEKS_LATER)

        assert said(desk) == said(plain)


NIGHT = datetime(2025, 7, 1, 3, tzinfo=UTC)
OVER_AT_ONCE: list[Step] = [
    Command(
        incident="INC-000001",
        at=NIGHT,
        by="person:odette",
        wish=wish,
        roles=("agent",),
        new=new,
    )
    for wish, new in (
        (Open(title="x", service="billetterie"), None),
        (Resolve(), "INC-000502"),
    )
]
"""Opened and resolved at one instant, at which somebody is paged in between."""


@many
@example(OVER_AT_ONCE, POLICIES[0], [])
@given(scripts(), policies, st.lists(st.integers(0, 12)))
def test_nobody_is_told_twice_nor_paged_about_what_is_over(
    script: list[Step], policy: Policy, problems: list[int]
) -> None:
    for incident, entries in whole_log(play(script).log, policy, problems).items():
        desk = sought(incident, entries, policy, late=False)
        told = [e for _, _, e in desk.decided if isinstance(e, NotificationRequested)]
        paged = [e for _, _, e in desk.decided if isinstance(e, EscalationPaged)]

        assert len({each.key for each in told}) == len(told)
        assert len({each.key for each in paged}) == len(paged)
        assert desk.case is not None
        assert desk.case.to_tell == ()
        own = [each for each in entries if each.stream == incident_stream(incident)]
        for page in paged:
            states = states_at(page.due_at, own)
            assert any(state and state.status in AT_WORK for state in states), page


@many
@given(scripts(), policies)
def test_levels_follow_one_another_and_only_a_person_takes_one_down(
    script: list[Step], policy: Policy
) -> None:
    for incident, entries in whole_log(play(script).log, policy, []).items():
        desk = sought(incident, entries, policy, late=True)
        moves = [
            event
            for _, _, event in desk.decided
            if isinstance(event, Escalated | EscalationReturned)
        ]
        given = [e.event for e in entries if isinstance(e.event, IncidentAssigned)]

        for cycle in {move.cycle for move in moves}:
            level = "n1"
            for move in (each for each in moves if each.cycle == cycle):
                assert move.from_level == level
                up = RANK[move.to_level] > RANK[move.from_level]
                assert up == isinstance(move, Escalated)
                level = move.to_level
        back = [each for each in moves if isinstance(each, EscalationReturned)]
        assert all((each.team, each.returned_at) in places(given) for each in back)
        instants = [
            move.escalated_at if isinstance(move, Escalated) else move.returned_at
            for move in moves
        ]
        assert instants == sorted(instants)


@many
@given(scripts(), policies)
def test_every_escalation_ends_or_its_manager_is_told_until_somebody_takes_it(
    script: list[Step], policy: Policy
) -> None:
    for incident, entries in whole_log(play(script).log, policy, []).items():
        desk = sought(incident, entries, policy, late=False)
        end = entries[-1].recorded_at + WEEKS_LATER
        case, again = desk.case, desk.next_at()
        assert case is not None
        ended = case.stage != "at_work" or case.restored_at is not None
        if ended or case.post.level == "n1" or case.post.accepted_by is not None:
            continue
        assert case.post.exhausted > 0
        assert again is not None
        assert again <= end + timedelta(days=1)
        numbers = [
            event.number
            for _, _, event in desk.decided
            if isinstance(event, EscalationExhausted) and event.level == case.post.level
        ]
        assert numbers[-1] == case.post.exhausted


def places(given: Sequence[IncidentAssigned]) -> set[tuple[str, datetime]]:
    return {(each.team, each.at) for each in given}
