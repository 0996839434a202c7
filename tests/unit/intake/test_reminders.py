"""Each may be reminded of an incident once, unless it has ended; notes are internal."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from services.intake.records.rules.reminders import FARTHEST
from services.intake.records.system_command import FireReminder
from shared.domain import events
from shared.domain.commands.incident import REMINDERS_MAX, Note, Remind, Unremind
from tests.unit.intake.commands.scenario import (
    LATER,
    OTHER,
    event,
    given,
    opened,
    reported,
)

HOUR = timedelta(hours=1)
DUE = LATER + HOUR
FIRE = FireReminder("odette", DUE)
IN_AN_HOUR = Remind.model_validate({"for": "1h", "note": "call the vendor"})
SET = event(
    events.IncidentReminderSet, person="odette", due_at=DUE, note="call the vendor"
)
REMINDED = event(
    events.IncidentReminded, person="odette", due_at=DUE, by="system:intake"
)
INTAKE = {"by": "system:intake", "at": DUE}


def _cleared(cause: str, **more: object) -> events.IncidentReminderCleared:
    return event(events.IncidentReminderCleared, person="odette", cause=cause, **more)


def test_a_note_is_sealed_under_the_key_of_who_reported_it() -> None:
    (noted,) = given(reported()).when(Note(note="The badge is in the safe")).events()

    assert (noted.type, noted.whose) == ("incident.noted", "person:lefevre")


def test_a_reminder_is_that_of_who_asks_and_asking_again_adds_nothing() -> None:
    at_the_instant = Remind(at=DUE, note="call the vendor")

    given(opened()).when(IN_AN_HOUR).then(SET)
    given(opened(), SET).when(at_the_instant).then()
    given(opened(), SET).when(IN_AN_HOUR, by="person:wim").then_types("reminder_set")


def _number(number: int, **more: object) -> events.IncidentReminderSet:
    return SET.model_copy(update={"number": number, **more})


def test_another_instant_or_note_is_one_more_reminder() -> None:
    later = Remind(at=DUE + HOUR, note="call the vendor")

    given(opened(), SET).when(later).then(_number(2, due_at=DUE + HOUR))
    given(opened(), SET).when(Remind(at=DUE, note="else")).then(_number(2, note="else"))


def test_one_that_was_due_gives_its_number_to_the_next() -> None:
    given(opened(), SET, _number(2, note="x"), REMINDED).when(IN_AN_HOUR).then(SET)


def test_there_is_a_limit_that_says_what_to_do() -> None:
    many = [_number(n, note=str(n)) for n in range(1, REMINDERS_MAX + 1)]

    given(opened(), *many).when(IN_AN_HOUR).then_refused("clear one first", "state")


def test_each_of_several_becomes_due_by_itself() -> None:
    second = _number(2, note="else")
    fire = replace(FIRE, number=2)
    reminded = REMINDED.model_copy(update={"at": DUE, "number": 2})

    given(opened(), SET, second).when(fire, **INTAKE).then(reminded)
    given(opened(), SET, second, reminded).when(fire, **INTAKE).then()
    given(opened(), SET, second, reminded).when(FIRE, **INTAKE).then_types("reminded")


def test_one_of_several_is_cleared_or_all_of_them() -> None:
    second = _number(2, note="else")

    given(opened(), SET, second).when(Unremind(number=2)).then(
        _cleared("agent", number=2)
    )
    given(opened(), SET, second).when(Unremind()).then(
        _cleared("agent"), _cleared("agent", number=2)
    )
    given(opened(), SET).when(Unremind(number=3)).then()


def test_it_becomes_due_once() -> None:
    given(opened(), SET).when(FIRE, **INTAKE).then(
        REMINDED.model_copy(update={"at": DUE})
    )
    given(opened(), SET, REMINDED).when(FIRE, **INTAKE).then()


def test_one_that_was_replaced_or_cleared_does_not_become_due() -> None:
    moved = SET.model_copy(update={"due_at": DUE + HOUR})

    given(opened(), SET, moved).when(FIRE, **INTAKE).then()
    given(opened(), SET, _cleared("agent")).when(FIRE, **INTAKE).then()


@pytest.mark.parametrize(
    ("ended", "cause"),
    [
        (
            [event(events.IncidentResolved, cycle=1), event(events.IncidentClosed)],
            "closed",
        ),
        ([event(events.IncidentCancelled, reason="test")], "cancelled"),
        ([event(events.IncidentMerged, into=OTHER)], "merged"),
    ],
)
def test_on_an_incident_that_has_ended_it_is_dropped_with_the_reason(
    ended: list[events.IncidentEvent], cause: str
) -> None:
    dropped = _cleared(cause, **INTAKE)

    given(opened(), SET, *ended).when(FIRE, **INTAKE).then(dropped)


def test_that_of_somebody_who_left_ends_before_it_is_due() -> None:
    left = replace(FIRE, has_left=True)

    given(opened(), SET).when(left, by="system:intake").then(
        _cleared("removed", by="system:intake")
    )
    given(opened(), SET, REMINDED).when(left, **INTAKE).then()


def test_one_that_ended_and_came_back_still_reminds() -> None:
    closed = (event(events.IncidentResolved, cycle=1), event(events.IncidentClosed))
    back = event(events.IncidentReopened, cycle=2, cause="agent", after_closure=True)

    given(opened(), SET, *closed, back).when(FIRE, **INTAKE).then_types("reminded")


def test_who_no_longer_needs_it_clears_it_even_after_it_was_due() -> None:
    given(opened(), SET).when(Unremind()).then(_cleared("agent"))
    given(opened(), SET, REMINDED).when(Unremind()).then(_cleared("agent"))
    given(opened(), SET).when(Unremind(), by="person:wim").then()


@pytest.mark.parametrize("at", [LATER, LATER + FARTHEST + timedelta(seconds=1)])
def test_neither_in_the_past_nor_in_years(at: datetime) -> None:
    given(opened()).when(Remind(at=at)).then_refused("past|at most", "invalid")


def test_a_machine_cannot_be_reminded() -> None:
    when = given(opened()).when(IN_AN_HOUR, by="system:intake")

    when.then_refused("only a person", "role")


@pytest.mark.parametrize("said", [{}, {"for": "1h", "at": LATER}])
def test_it_has_one_instant(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="either `at` or `for`"):
        Remind.model_validate(said)
