"""Links to incidents, problems and changes."""

import pytest

from shared.domain import events
from shared.domain.commands.change import LinkChange, UnlinkChange
from shared.domain.commands.incident import Link, Unlink
from shared.domain.commands.problem import LinkProblem, UnlinkProblem
from shared.domain.events.event import Event
from shared.domain.incident import Incident
from shared.domain.incident import replay as incident_of
from tests.unit.intake.commands.scenario import INC, OTHER, event, given, opened
from tests.unit.intake.records.builders import CHG, PRB, change, desk, of, problem

other = opened(incident=OTHER)
MIRRORS: list[tuple[events.Relation, events.Relation]] = [
    ("related", "related"),
    ("caused_by", "causes"),
    ("causes", "caused_by"),
]


@pytest.mark.parametrize(("relation", "mirrored"), MIRRORS)
def test_each_of_two_incidents_has_its_side(
    relation: events.Relation, mirrored: events.Relation
) -> None:
    given(opened()).beside(other).when(Link(relation=relation, target=OTHER)).then(
        event(events.IncidentLinked, relation=relation, target=OTHER),
        event(events.IncidentLinked, incident=OTHER, relation=mirrored, target=INC),
    )


@pytest.mark.parametrize(("relation", "mirrored"), MIRRORS)
def test_unlinking_takes_both_sides_away(
    relation: events.Relation, mirrored: events.Relation
) -> None:
    here = event(events.IncidentLinked, relation=relation, target=OTHER)
    there = event(events.IncidentLinked, incident=OTHER, relation=mirrored, target=INC)
    unlink = Unlink(relation=relation, target=OTHER)

    given(opened(), here).beside(other, there).when(unlink).then(
        event(events.IncidentUnlinked, relation=relation, target=OTHER),
        event(events.IncidentUnlinked, incident=OTHER, relation=mirrored, target=INC),
    )


def test_linking_twice_changes_nothing() -> None:
    here = event(events.IncidentLinked, relation="related", target=OTHER)
    there = event(events.IncidentLinked, incident=OTHER, relation="related", target=INC)
    link = Link(relation="related", target=OTHER)

    given(opened(), here).beside(other, there).when(link).then()


def test_unlinking_what_is_not_linked_changes_nothing() -> None:
    given(opened()).when(Unlink(relation="problem", target="PRB-1")).then()


def test_a_closed_incident_is_still_linked_to_its_problem() -> None:
    closed = event(events.IncidentClosed)

    given(opened(), closed).with_record(problem()).when(
        Link(relation="problem", target=PRB)
    ).then(event(events.IncidentLinked, relation="problem", target=PRB))


def test_an_incident_may_be_caused_by_a_change() -> None:
    given(opened()).with_record(change()).when(
        Link(relation="caused_by", target=CHG)
    ).then(event(events.IncidentLinked, relation="caused_by", target=CHG))


@pytest.mark.parametrize(
    ("relation", "target", "because"),
    [
        ("problem", PRB, f"no problem {PRB}"),
        ("problem", "PRB-1", "no problem PRB-1"),
        ("change", CHG, f"no change {CHG}"),
        ("caused_by", CHG, f"no change {CHG}"),
    ],
)
def test_a_link_leads_to_what_is_there(
    relation: events.Relation, target: str, because: str
) -> None:
    given(opened()).when(Link(relation=relation, target=target)).then_refused(
        because, "unknown_target"
    )


def test_a_record_kept_elsewhere_cannot_be_checked_and_is_not_linked() -> None:
    given(opened()).when(Link(relation="problem", target="JIRA-12")).then_refused(
        "not a record of this desk", "invalid"
    )


def test_the_other_incident_must_be_there() -> None:
    given(opened()).when(Link(relation="related", target=OTHER)).then_refused(
        f"no incident {OTHER}", "unknown_target"
    )


@pytest.mark.parametrize(
    ("relation", "target", "because"),
    [
        ("related", INC, "not linked to itself"),
        ("problem", OTHER, "is an incident, not a problem"),
        ("causes", CHG, "link it as change or caused_by"),
        ("problem", CHG, "is a change, not to be linked as problem"),
        ("change", PRB, "is a problem, not to be linked as change"),
    ],
)
def test_a_link_must_make_sense(
    relation: events.Relation, target: str, because: str
) -> None:
    given(opened()).beside(other).when(
        Link(relation=relation, target=target)
    ).then_refused(because, "invalid")


def test_nothing_is_linked_to_what_was_merged() -> None:
    merged = event(events.IncidentMerged, incident=OTHER, into="INC-000003")

    given(opened()).beside(other, merged).when(
        Link(relation="related", target=OTHER)
    ).then_refused("link to INC-000003 instead")


SIDES: list[tuple[str, events.Relation, Event]] = [
    (PRB, "problem", of(events.ProblemIncidentLinked, incident=INC)),
    (PRB, "related", of(events.ProblemIncidentRelated, incident=INC)),
    *(
        (
            CHG,
            relation,
            of(events.ChangeIncidentLinked, incident=INC, relation=relation),
        )
        for relation in ("change", "caused_by", "related")
    ),
]
"""Each link to a record of another kind, and what its side says of it."""


def here(*links: tuple[events.Relation, str]) -> Incident:
    made = [
        event(events.IncidentLinked, relation=relation, target=ref)
        for relation, ref in links
    ]
    incident = incident_of([opened(), *made])
    assert incident is not None
    return incident


@pytest.mark.parametrize(("ref", "relation", "there"), SIDES)
def test_a_problem_or_change_has_its_side_whichever_side_links(
    ref: str, relation: events.Relation, there: Event
) -> None:
    both = desk(here(), problem(), change())
    link = LinkProblem if ref == PRB else LinkChange
    own = event(events.IncidentLinked, relation=relation, target=ref)

    assert both.wishes(INC, Link(relation=relation, target=ref)) == [own, there]
    wish = link.model_validate({"incident": INC, "relation": relation})
    assert both.wishes(ref, wish) == [there, own]


@pytest.mark.parametrize(("ref", "relation", "there"), SIDES)
def test_either_side_unlinks_both(
    ref: str, relation: events.Relation, there: Event
) -> None:
    records = problem(there) if ref == PRB else change(there)  # type: ignore[arg-type]
    both = desk(here((relation, ref)), records)
    unlink = UnlinkProblem if ref == PRB else UnlinkChange
    kind = (
        events.ProblemIncidentUnlinked if ref == PRB else events.ChangeIncidentUnlinked
    )
    own = event(events.IncidentUnlinked, relation=relation, target=ref)
    gone = of(kind, incident=INC, relation=relation)

    assert both.wishes(INC, Unlink(relation=relation, target=ref)) == [own, gone]
    wish = unlink.model_validate({"incident": INC, "relation": relation})
    assert both.wishes(ref, wish) == [gone, own]
    assert desk(here(), records).wishes(ref, wish) == [gone]


@pytest.mark.parametrize("relation", ["change", "caused_by"])
def test_linking_again_makes_a_side_good_that_an_older_desk_left_out(
    relation: events.Relation,
) -> None:
    half = desk(here((relation, CHG)), change())

    assert half.wishes(INC, Link(relation=relation, target=CHG)) == [
        of(events.ChangeIncidentLinked, incident=INC, relation=relation)
    ]


def test_a_change_names_first_the_incident_that_is_left() -> None:
    made = change(
        of(events.ChangeIncidentLinked, incident=OTHER, relation="change"),
        of(events.ChangeIncidentUnlinked, incident=INC, relation="change"),
        incident=INC,
    )

    assert (made.incident, made.incidents) == (OTHER, (OTHER,))
