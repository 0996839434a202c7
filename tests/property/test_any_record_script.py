"""Whatever is asked of incidents, problems and changes, the links agree."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.decider import Refused
from services.intake.decider.record_tables import CHANGES, PROBLEMS
from services.intake.deciding import Sight, decided
from services.intake.record_cache import Versioned, advance
from services.intake.records import RecordEvent, ref_of, replayed
from services.intake.wanted import AnyWish
from shared import changes, problems
from shared.changes import Change
from shared.changes import wishes as of_changes
from shared.events import events
from shared.incident import Incident
from shared.problems import Problem
from shared.problems import wishes as of_problems
from shared.wishes import Cancel, Close, Link, Merge, Open, Resolve
from tests.support.policies import full

NINE = datetime(2025, 6, 30, 7, tzinfo=UTC)
POLICY = full()
INCIDENTS = ("INC-000001", "INC-000002")
PROBLEMS_ = ("PRB-000001", "PRB-000002")
CHANGES_ = ("CHG-000001", "CHG-000002")
many = settings(max_examples=150, deadline=timedelta(seconds=5))

Step = tuple[str, AnyWish]

_incident, _problem = st.sampled_from(INCIDENTS), st.sampled_from(PROBLEMS_)
_team = st.none() | st.sampled_from(["editeur", "causes", "exploitation"])


def _of(refs: Sequence[str], *wishes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.sampled_from(refs), st.one_of(*wishes))


STEPS: st.SearchStrategy[Step] = st.one_of(
    _of(
        INCIDENTS,
        st.builds(Open, title=st.just("x")),
        st.builds(Open, title=st.just("x")),
        st.builds(
            Link,
            relation=st.sampled_from(["problem", "change", "related", "caused_by"]),
            target=st.sampled_from([*PROBLEMS_, *CHANGES_, *INCIDENTS, "PRB-1"]),
        ),
        st.builds(Merge, into=_incident),
        st.just(Resolve()),
        st.just(Close()),
        st.just(Cancel(reason="test")),
    ),
    _of(
        PROBLEMS_,
        st.builds(
            of_problems.IdentifyProblem,
            title=st.just("y"),
            incident=st.none() | _incident,
            team=_team,
        ),
        st.builds(of_problems.LinkProblem, incident=_incident),
        st.builds(of_problems.AssignProblem, team=st.sampled_from(["editeur", "x"])),
        st.builds(of_problems.PublishWorkaround, text=st.sampled_from(["a", "b"])),
        st.builds(of_problems.ResolveProblem),
    ),
    _of(
        CHANGES_,
        st.builds(
            of_changes.RequestChange,
            title=st.just("z"),
            incident=st.none() | _incident,
            problem=st.none() | _problem,
        ),
        st.builds(
            of_changes.PlanChange,
            planned_for=st.sampled_from([NINE, NINE + timedelta(days=1)]),
        ),
        st.builds(of_changes.ImplementChange),
        st.builds(of_changes.CancelChange, reason=st.just("dear")),
    ),
)
SCRIPTS = st.lists(STEPS, max_size=40)


@dataclass
class World:
    """The records, and the log they are made of."""

    states: dict[str, Versioned] = field(default_factory=dict)
    log: list[RecordEvent] = field(default_factory=list)

    def take(self, ref: str, wish: AnyWish) -> int:
        """Do what is wished, if it is not refused; return how many events it made."""
        at = NINE + timedelta(minutes=len(self.log))
        sight = Sight(
            ref, None, dict(self.states), at, "person:odette", (), None, POLICY, 1
        )
        with suppress(Refused):
            made = decided(wish, sight)
            advance(self.states, made)
            self.log += made
            return len(made)
        return 0


def played(script: list[Step]) -> World:
    world = World()
    for ref, wish in script:
        world.take(ref, wish)
    return world


@many
@given(SCRIPTS)
def test_wishing_the_same_again_at_once_adds_nothing(script: list[Step]) -> None:
    world = World()
    for ref, wish in script:
        world.take(ref, wish)
        assert world.take(ref, wish) == 0


@many
@given(SCRIPTS)
def test_a_record_is_what_its_stream_says_after_the_wire_too(
    script: list[Step],
) -> None:
    world = played(script)

    for ref, held in world.states.items():
        stream = [event for event in world.log if ref_of(event) == ref]
        wired = [events.validate_json(events.dump_json(event)) for event in stream]
        assert wired == stream
        assert replayed(stream) == held.record
        assert held.version == len(stream)


@many
@given(SCRIPTS)
def test_links_agree_on_both_sides(script: list[Step]) -> None:
    world = played(script)
    records = [held.record for held in world.states.values()]
    from_incidents = {
        (link[1], each.ref)
        for each in records
        if isinstance(each, Incident)
        for link in each.links
        if link[0] == "problem"
    }
    from_problems = {
        (each.ref, incident)
        for each in records
        if isinstance(each, Problem)
        for incident in each.incidents
    }

    assert from_incidents == from_problems
    for each in records:
        match each:
            case Change(ref=ref, incident=str(incident)):
                held = world.states[incident].incident
                assert held is not None
                assert ("change", ref) in held.links
            case Incident(links=links):
                assert all(target in world.states for _, target in links)
            case _:
                pass


@many
@given(SCRIPTS)
def test_what_is_over_changes_no_more(script: list[Step]) -> None:
    over: set[str] = set()
    for event in played(script).log:
        if event.type != "problem.incident_linked" and not event.type.startswith("inc"):
            assert ref_of(event) not in over
        if event.type in {
            "problem.resolved",
            "change.implemented",
            "change.cancelled",
        }:
            over.add(ref_of(event))


def test_every_verb_has_a_word_on_every_status() -> None:
    assert set(PROBLEMS) == set(of_problems.BODIES)
    assert set(CHANGES) == set(of_changes.BODIES)
    for row in PROBLEMS.values():
        assert list(row) == list(problems.Status)
    for row in CHANGES.values():
        assert list(row) == list(changes.Status)
