"""One incident for two troubles."""

import pytest

from shared.domain.commands.incident import Split
from shared.domain.events.incident import IncidentOpened, IncidentResolved
from shared.domain.events.incident_signals import IncidentSignalled
from shared.domain.events.incident_ties import IncidentSplit
from shared.domain.incident import replay
from tests.unit.intake.commands.scenario import (
    INC,
    KEY,
    KEY_2,
    LATER,
    NEW,
    NINE,
    called,
    event,
    given,
    opened,
)

second = event(IncidentSignalled, source="prom", signal_key=KEY_2, last_at=LATER)
past = (opened(), second, called("lefevre"))
off = Split(title="The other half", signal_keys=(KEY_2,), reporter="lefevre")
split = event(IncidentSplit, into=NEW, signal_keys=(KEY_2,))


def test_a_part_becomes_an_incident_of_its_own() -> None:
    there, new, *taken = given(*past).when(off, new=NEW).events()

    assert there == split
    assert isinstance(new, IncidentOpened)
    assert (new.incident, new.origin, new.split_from) == (NEW, "split", INC)
    assert (new.title, new.reporter) == ("The other half", "lefevre")
    assert new.split_signals == {KEY_2: "firing"}
    assert (new.service, new.priority, new.team) == ("billetterie", "p2", "accueil")
    assert [e.type for e in taken] == ["incident.acknowledged", "incident.assigned"]


def test_it_was_reported_when_the_whole_was() -> None:
    _, new, *_ = given(*past).when(off, new=NEW).events()

    assert isinstance(new, IncidentOpened)
    assert (new.reported_at, new.at) == (NINE, LATER)


def test_its_title_is_under_the_reporters_key() -> None:
    _, new, *_ = given(*past).when(off, new=NEW).events()

    assert new.whose == "person:lefevre"


def test_the_signals_leave_the_whole() -> None:
    incident = replay([*past, split])

    assert incident is not None
    assert incident.signals == {KEY: "firing"}


def test_splitting_twice_changes_nothing() -> None:
    given(*past, split).when(off, new=NEW).then()


def test_only_its_own_signals_go_over() -> None:
    wish = Split(title="x", signal_keys=("c" * 64,))

    given(*past).when(wish, new=NEW).then_refused("has no signal c", "invalid")


def test_only_its_own_reporters_go_over() -> None:
    wish = Split(title="x", reporter="costa")

    given(*past).when(wish, new=NEW).then_refused("costa did not report", "invalid")


def test_what_is_resolved_is_not_split() -> None:
    resolved = event(IncidentResolved, cycle=1)

    given(*past, resolved).when(off, new=NEW).then_refused("reopen it first")


def test_the_edge_must_bring_a_reference() -> None:
    with pytest.raises(ValueError, match="reference"):
        given(*past).when(off).events()
