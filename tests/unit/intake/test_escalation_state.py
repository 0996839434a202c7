"""Who looks into an incident above the desk, by the stream of its escalation."""

from typing import Any

from services.intake.commands.escalation_state import helpers_in
from services.intake.records.rules.context import Helper
from shared.domain.events import EVENT_TYPES
from shared.domain.identifiers import escalation_stream
from shared.eventlog.entry import Entry
from tests.support.builders.promise_events import told
from tests.unit.intake.commands.scenario import INC, LATER


def helpers(*said: tuple[str, dict[str, Any]], cycle: int = 1) -> dict[str, Helper]:
    stream = escalation_stream(INC)
    entries = [
        Entry(n, stream, n, kind, LATER, None, told(kind, INC, **words))
        for n, (kind, words) in enumerate(said, 1)
    ]
    assert {kind for kind, _ in said} <= set(EVENT_TYPES)
    return dict(helpers_in({INC: cycle}, entries))


UP: tuple[str, dict[str, Any]] = ("escalation.escalated", {"team": "support"})
ON: tuple[str, dict[str, Any]] = (
    "escalation.escalated",
    {"team": "etudes", "from_level": "n2", "to_level": "n3"},
)
BACK: tuple[str, dict[str, Any]] = (
    "escalation.returned",
    {"team": "accueil", "from_level": "n2", "to_level": "n1"},
)
GIVEN: tuple[str, dict[str, Any]] = ("incident.assigned", {"team": "accueil"})
LAPSED: tuple[str, dict[str, Any]] = (
    "escalation.acknowledgement_lapsed",
    {"person": "amina", "level": "n2", "lapsed_at": LATER},
)
TAKEN: tuple[str, dict[str, Any]] = ("escalation.accepted", {"person": "amina"})


def test_without_escalation_nobody_is() -> None:
    assert helpers() == {}


def test_a_team_is_until_one_of_it_has_accepted() -> None:
    assert helpers(UP) == {INC: Helper("support", "n2")}
    assert helpers(UP, TAKEN) == {INC: Helper("support", "n2", "amina")}


def test_who_accepted_it_is_no_more_once_that_lapsed_until_it_is_given_again() -> None:
    lapsed = Helper("support", "n2", has_lapsed=True)

    assert helpers(UP, TAKEN, LAPSED) == {INC: lapsed}
    assert helpers(UP, TAKEN, LAPSED, GIVEN) == {
        INC: Helper("support", "n2", given_since=True)
    }
    assert helpers(UP, TAKEN, LAPSED, TAKEN) == {INC: Helper("support", "n2", "amina")}


def test_the_next_level_is_sought_anew() -> None:
    assert helpers(UP, TAKEN, ON) == {INC: Helper("etudes", "n3")}


def test_the_desk_is_again_once_it_went_back() -> None:
    assert helpers(UP, TAKEN, BACK) == {INC: Helper("accueil", "n1")}


def test_what_was_given_to_somebody_since_may_be_elsewhere() -> None:
    assert helpers(UP, GIVEN) == {INC: Helper("support", "n2", given_since=True)}
    assert helpers(GIVEN, UP) == {INC: Helper("support", "n2")}


def test_what_was_in_a_cycle_before_is_over() -> None:
    assert helpers(UP, TAKEN, cycle=2) == {}
