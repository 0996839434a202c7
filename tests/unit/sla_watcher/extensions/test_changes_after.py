"""What was agreed goes on counting, whatever becomes of the incident."""

from shared.domain import events
from tests.support.builders.extensions import (
    TEN_TOMORROW,
    classified,
    extended,
    refusal,
)
from tests.support.builders.promises import INCIDENT, shown


def test_another_priority_is_promised_anew_and_an_agreement_that_is_longer_stays() -> (
    None
):
    watch = extended()

    said = classified(watch, "14:30", "p3")

    assert said[0] == "ttr retargeted 14:30"
    clock = watch.clock("ttr")
    assert (clock.seconds, clock.original_seconds) == (12 * 3_600, 12 * 3_600)
    assert shown(clock.due_at) == "07-01 11:10"
    classified(watch, "14:40", "p2")
    clock = watch.clock("ttr")
    assert (clock.seconds, clock.original_seconds) == (TEN_TOMORROW, 6 * 3_600)
    assert shown(clock.due_at) == "07-01 10:00"
    assert classified(watch, "14:50", "p2") == []


def test_under_another_calendar_it_is_agreed_until_the_same_instant() -> None:
    watch = extended()

    classified(watch, "14:30", "p1")

    clock = watch.clock("ttr")
    assert (clock.calendar, clock.original_seconds) == ("always", 4 * 3_600)
    assert shown(clock.due_at) == "07-01 10:00"


def test_while_it_stands_too() -> None:
    watch = extended()
    watch.happens("14:10", events.IncidentPaused, reason="user", question="Quel mois ?")
    classified(watch, "15:10", "p1")
    watch.happens("15:10", events.IncidentResumed, cause="reply")

    assert shown(watch.clock("ttr").due_at) == "07-01 11:00"


def test_a_relapse_goes_on_with_what_was_agreed() -> None:
    watch = extended()
    watch.happens("15:00", events.IncidentRestored)
    watch.happens("16:00", events.IncidentRelapsed)

    assert shown(watch.clock("ttr").due_at) == "07-01 11:00"


def test_reopened_it_has_what_was_left_of_the_agreement() -> None:
    watch = extended()
    watch.happens("17:10", events.IncidentRestored)
    watch.happens("17:10", events.IncidentResolved, cycle=1)

    said = watch.happens(
        "07-01 08:00",
        events.IncidentReopened,
        cycle=2,
        cause="user",
        after_closure=False,
    )

    assert "ttr armed 07-01 10:50" in said
    clock = watch.clock("ttr", 2)
    assert (clock.seconds, clock.original_seconds) == (TEN_TOMORROW, 6 * 3_600)
    assert (
        "not later"
        in refusal(lambda: watch.proposes("07-01 09:00", "07-01 10:50")).reason
    )
    assert watch.proposes("07-01 09:00", "07-01 12:00") == f"{INCIDENT}-E2"


def test_merged_and_taken_out_again_it_goes_on_as_agreed() -> None:
    watch = extended()
    watch.happens("14:30", events.IncidentMerged, into="INC-000001")
    watch.happens("15:00", events.IncidentUnmerged, out_of="INC-000001", signals={})

    assert shown(watch.clock("ttr").due_at) == "07-01 10:00"
