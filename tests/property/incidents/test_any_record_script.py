"""Whatever is asked of incidents, problems and changes, the links agree."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.intake.records.rules import VERBS, DecisionContext, decide
from services.intake.records.store import Versioned, advance
from services.intake.records.system_command import AnyCommand
from shared.domain import change as domain_change
from shared.domain import problem as domain_problem
from shared.domain.change import Change
from shared.domain.commands import change as of_changes
from shared.domain.commands import problem as of_problems
from shared.domain.commands.incident import (
    Cancel,
    Close,
    Link,
    Merge,
    Open,
    Resolve,
    Unlink,
)
from shared.domain.events import events
from shared.domain.identifiers import is_incident_ref
from shared.domain.incident import Incident
from shared.domain.problem import Problem
from shared.domain.record import RecordEvent, ref_of, replayed
from shared.domain.refusal import Refused
from tests.support.examples import examples
from tests.support.policies import full

LINKS = ("linked", "incident_related")
"""How the types of events end that what is over may still have."""
NINE = datetime(2025, 6, 30, 7, tzinfo=UTC)
POLICY = full()
INCIDENTS = ("INC-000001", "INC-000002")
PROBLEMS_ = ("PRB-000001", "PRB-000002")
CHANGES_ = ("CHG-000001", "CHG-000002")
many = examples(150)

Step = tuple[str, AnyCommand]

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
        st.builds(
            Unlink,
            relation=st.sampled_from(["problem", "change", "related", "caused_by"]),
            target=st.sampled_from([*PROBLEMS_, *CHANGES_, *INCIDENTS]),
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
        *(
            st.builds(
                kind,
                incident=_incident,
                relation=st.sampled_from(["problem", "related"]),
            )
            for kind in (of_problems.LinkProblem, of_problems.UnlinkProblem)
        ),
        *(
            st.builds(kind, change=st.sampled_from(CHANGES_))
            for kind in (of_problems.LinkProblem, of_problems.UnlinkProblem)
        ),
        st.builds(of_problems.AssignProblem, team=st.sampled_from(["editeur", "x"])),
        st.builds(of_problems.PublishWorkaround, text=st.sampled_from(["a", "b"])),
        st.builds(of_problems.DiagnoseProblem, cause=st.sampled_from(["a", "b"])),
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
        *(
            st.builds(
                kind,
                incident=_incident,
                relation=st.sampled_from(["change", "caused_by", "related"]),
            )
            for kind in (of_changes.LinkChange, of_changes.UnlinkChange)
        ),
        *(
            st.builds(kind, problem=_problem)
            for kind in (of_changes.LinkChange, of_changes.UnlinkChange)
        ),
        st.builds(of_changes.AssignChange, team=st.sampled_from(["editeur", "x"])),
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

    def take(self, ref: str, wish: AnyCommand) -> int:
        """Do what is wished, if it is not refused; return how many events it made."""
        at = NINE + timedelta(minutes=len(self.log))
        records = {each: held.record for each, held in self.states.items()}
        others = {each: record for each, record in records.items() if record}
        context = DecisionContext(ref, at, "person:odette", POLICY, 1, others=others)
        with suppress(Refused):
            made = decide(wish, others.get(ref), context)
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
        (each.ref, relation, target)
        for each in records
        if isinstance(each, Incident)
        for relation, target in each.links
        if not is_incident_ref(target)
    }
    from_records = {
        (incident, relation, each.ref)
        for each in records
        if isinstance(each, Problem | Change)
        for relation, incident in each.links
    }
    changes_of_problems = {
        (each.ref, change)
        for each in records
        if isinstance(each, Problem)
        for change in each.changes
    }
    problems_of_changes = {
        (each.problem, each.ref)
        for each in records
        if isinstance(each, Change) and each.problem
    }

    assert from_incidents == from_records
    assert changes_of_problems == problems_of_changes


@many
@given(SCRIPTS)
def test_what_is_over_changes_no_more(script: list[Step]) -> None:
    over: set[str] = set()
    for event in played(script).log:
        if not event.type.endswith(LINKS) and not event.type.startswith("inc"):
            assert ref_of(event) not in over
        if event.type in {
            "problem.resolved",
            "change.implemented",
            "change.cancelled",
        }:
            over.add(ref_of(event))


def test_every_verb_has_a_word_on_every_status() -> None:
    kinds = (
        ("problem", of_problems.BODIES, domain_problem.Status),
        ("change", of_changes.BODIES, domain_change.Status),
    )
    for kind, bodies, statuses in kinds:
        verbs = {each: verb for each, verb in VERBS.items() if verb.kind == kind}
        assert set(verbs) == set(bodies.values())
        for verb in verbs.values():
            assert list(verb.effects) == list(statuses)
            assert all(verb.effects.values())
