"""Every verb has a word on every status, and the decider keeps it."""

from typing import Any, get_args

import pytest

from services.intake.commands.command import (
    AcknowledgeSource,
    CloseSilent,
    Flap,
    MachinesWish,
    NoteSource,
    Recover,
    Trigger,
)
from services.intake.commands.rules import TABLE, life_of_an_incident
from services.intake.commands.rules.status_table import ALREADY, DO
from services.intake.signals.schemas import Signal
from shared.domain.commands.incident import BODIES, Open, PersonsWish
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentClosed,
    IncidentPaused,
    IncidentResolved,
    IncidentRestored,
)
from shared.domain.events.incident_ties import IncidentMerged
from shared.domain.incident import Status, replay
from tests.unit.intake.spec import (
    INC,
    KEY,
    NEW,
    NINE,
    OTHER,
    When,
    event,
    given,
    opened,
)

MACHINES = {kind.verb: kind for kind in get_args(MachinesWish)}
OURS = {CloseSilent.verb: CloseSilent(cycle=1)}
VERBS = sorted(TABLE)

ended = (event(IncidentRestored), event(IncidentResolved, cycle=1))
HISTORY: dict[Status, tuple[IncidentEvent, ...]] = {
    Status.NEW: (opened(),),
    Status.ACKNOWLEDGED: (opened(), event(IncidentAcknowledged)),
    Status.PAUSED: (opened(), event(IncidentPaused, reason="vendor")),
    Status.RESOLVED: (opened(), *ended),
    Status.CLOSED: (opened(), *ended, event(IncidentClosed)),
    Status.CANCELLED: (opened(), event(IncidentCancelled, reason="test")),
    Status.MERGED: (opened(), event(IncidentMerged, into=OTHER)),
}
BODY: dict[str, dict[str, Any]] = {
    "open": {"title": "x"},
    "attach": {"person": "costa", "channel": "chat"},
    "classify": {"urgency": "high"},
    "edit": {"title": "said better"},
    "assign": {"assignee": "wim"},
    "return": {"reason": "not ours"},
    "pause": {"reason": "vendor"},
    "inform": {"message": "x"},
    "solution": {"note": "x"},
    "resolve": {"force": True, "reason": "unplugged"},
    "cancel": {"reason": "test"},
    "snooze": {"for": "1h", "reason": "the vendor is on it"},
    "link": {"relation": "related", "target": OTHER},
    "unlink": {"relation": "problem", "target": "PRB-1"},
    "merge": {"into": OTHER},
    "split": {"title": "x"},
}


def wished(verb: str, status: Status) -> When:
    history = given(*HISTORY[status]).beside(opened(incident=OTHER))
    if verb in BODIES:
        wish = BODIES[verb].model_validate(BODY.get(verb, {}))
        return history.when(wish, new=NEW)
    if verb in OURS:
        return history.when(OURS[verb], by="system:intake")
    signal = Signal(source="prom", dedup_key="k1", action="trigger", title="x")
    if verb == Trigger.verb:
        return history.when(Trigger(signal, KEY, NINE), by="source:prom")
    return history.when(machines(verb, signal), by="source:prom")


def machines(verb: str, signal: Signal) -> MachinesWish:
    others: dict[str, MachinesWish] = {
        Recover.verb: Recover("prom", KEY),
        Flap.verb: Flap("prom", KEY, 4, NINE),
        AcknowledgeSource.verb: AcknowledgeSource(signal, KEY),
        NoteSource.verb: NoteSource(signal, KEY),
    }
    return others[verb]


def test_every_verb_has_a_row() -> None:
    assert set(TABLE) == {*BODIES, *MACHINES, *OURS}


@pytest.mark.parametrize("verb", VERBS)
def test_every_row_has_a_word_on_every_status(verb: str) -> None:
    assert list(TABLE[verb]) == list(Status)
    assert all(TABLE[verb].values())


@pytest.mark.parametrize("status", Status)
def test_the_examples_have_the_status_they_stand_for(status: Status) -> None:
    incident = replay(HISTORY[status])

    assert incident is not None
    assert incident.status is status


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verb", VERBS)
def test_the_decider_keeps_the_table(verb: str, status: Status) -> None:
    when = wished(verb, status)

    match TABLE[verb][status]:
        case word if word == ALREADY:
            when.then()
        case word if word == DO:
            when.events()
        case instead:
            when.then_refused(f"{INC} is {status}: {instead.format(into=OTHER)}")


@pytest.mark.parametrize("verb", sorted({*VERBS} - {"open", "trigger"}))
def test_only_two_verbs_need_no_incident(verb: str) -> None:
    signal = Signal(source="prom", dedup_key="k1", action="resolve", title="x")
    wish: Any = OURS.get(verb) or (
        BODIES[verb].model_validate(BODY.get(verb, {}))
        if verb in BODIES
        else machines(verb, signal)
    )

    given().when(wish).then_refused("there is no incident", "unknown_incident")


def test_the_table_is_written_as_markdown() -> None:
    lines = life_of_an_incident().splitlines()

    assert lines[0] == f"|  | {' | '.join(Status)} |"
    assert len(lines) == len(TABLE) + 2
    assert "| **acknowledge** | do | already | do | reopen it first |" in lines[7]
    assert "{" not in life_of_an_incident()


def test_every_wish_of_a_person_has_a_verb_of_its_own() -> None:
    assert BODIES["open"] is Open
    assert list(BODIES.values()) == list(get_args(PersonsWish))
