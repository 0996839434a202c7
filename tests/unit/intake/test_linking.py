"""Links to incidents, problems and changes."""

import pytest

from shared.events.incident import IncidentClosed
from shared.events.incident_ties import (
    IncidentLinked,
    IncidentMerged,
    IncidentUnlinked,
    Relation,
)
from shared.wishes import Link, Unlink

from .records import CHG, PRB, change, problem
from .spec import INC, OTHER, event, given, opened

other = opened(incident=OTHER)
MIRRORS: list[tuple[Relation, Relation]] = [
    ("related", "related"),
    ("caused_by", "causes"),
    ("causes", "caused_by"),
]


@pytest.mark.parametrize(("relation", "mirrored"), MIRRORS)
def test_each_of_two_incidents_has_its_side(
    relation: Relation, mirrored: Relation
) -> None:
    given(opened()).beside(other).when(Link(relation=relation, target=OTHER)).then(
        event(IncidentLinked, relation=relation, target=OTHER),
        event(IncidentLinked, incident=OTHER, relation=mirrored, target=INC),
    )


@pytest.mark.parametrize(("relation", "mirrored"), MIRRORS)
def test_unlinking_takes_both_sides_away(
    relation: Relation, mirrored: Relation
) -> None:
    here = event(IncidentLinked, relation=relation, target=OTHER)
    there = event(IncidentLinked, incident=OTHER, relation=mirrored, target=INC)
    unlink = Unlink(relation=relation, target=OTHER)

    given(opened(), here).beside(other, there).when(unlink).then(
        event(IncidentUnlinked, relation=relation, target=OTHER),
        event(IncidentUnlinked, incident=OTHER, relation=mirrored, target=INC),
    )


def test_linking_twice_changes_nothing() -> None:
    here = event(IncidentLinked, relation="related", target=OTHER)
    there = event(IncidentLinked, incident=OTHER, relation="related", target=INC)
    link = Link(relation="related", target=OTHER)

    given(opened(), here).beside(other, there).when(link).then()


def test_unlinking_what_is_not_linked_changes_nothing() -> None:
    given(opened()).when(Unlink(relation="problem", target="PRB-1")).then()


def test_a_closed_incident_is_still_linked_to_its_problem() -> None:
    closed = event(IncidentClosed)

    given(opened(), closed).with_record(problem()).when(
        Link(relation="problem", target=PRB)
    ).then(event(IncidentLinked, relation="problem", target=PRB))


def test_an_incident_may_be_caused_by_a_change() -> None:
    given(opened()).with_record(change()).when(
        Link(relation="caused_by", target=CHG)
    ).then(event(IncidentLinked, relation="caused_by", target=CHG))


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
    relation: Relation, target: str, because: str
) -> None:
    given(opened()).when(Link(relation=relation, target=target)).then_refused(
        because, "unknown_target"
    )


def test_a_record_kept_elsewhere_cannot_be_checked_and_is_not_linked() -> None:
    given(opened()).when(Link(relation="problem", target="JIRA-12")).then_refused(
        "no record of this desk", "invalid"
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
def test_a_link_must_make_sense(relation: Relation, target: str, because: str) -> None:
    given(opened()).beside(other).when(
        Link(relation=relation, target=target)
    ).then_refused(because, "invalid")


def test_nothing_is_linked_to_what_was_merged() -> None:
    merged = event(IncidentMerged, incident=OTHER, into="INC-000003")

    given(opened()).beside(other, merged).when(
        Link(relation="related", target=OTHER)
    ).then_refused("link to INC-000003 instead")
