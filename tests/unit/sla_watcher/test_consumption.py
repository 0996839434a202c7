"""Who consumed a promise: each support level, and the user, a vendor or us."""

from services.projections.history.shares import shares, turns, waits
from shared.domain import events
from shared.domain.sla import Consumption, consumed
from shared.domain.working_time import hours_of
from tests.support.builders.promises import VALMONT, Watch, local

MINUTE = 60


def payroll() -> Watch:
    """Return a P2 that N1 kept for twenty minutes, and whose user was asked for one."""
    watch = Watch()
    watch.opened("09:10")
    watch.happens("09:14", events.IncidentAcknowledged)
    to(watch, "09:30", "n1", "n2")
    watch.happens("10:20", events.IncidentPaused, reason="user", question="?")
    watch.happens("11:20", events.IncidentResumed, cause="reply")
    return watch


def to(watch: Watch, when: str, left: str, level: str, cycle: int = 1) -> None:
    watch.happens(
        when,
        events.Escalated,
        cycle=cycle,
        from_level=left,
        to_level=level,
        team="support",
        cause="by_hand",
        escalated_at=local(when),
    )


def at(watch: Watch, when: str, cycle: int = 1) -> Consumption:
    clock = watch.clock("ttr", cycle)
    hours = hours_of(VALMONT.calendars[clock.calendar])
    return consumed(clock, hours, local(when), turns(watch.log), waits(watch.log))


def levels(of: Consumption) -> dict[str, int]:
    return {level: seconds // MINUTE for level, seconds in of.levels.items()}


def parties(of: Consumption) -> dict[str, tuple[int, int]]:
    return {
        each.party: (each.passed // MINUTE, each.counted // MINUTE)
        for each in of.shares
    }


def test_each_level_has_what_it_consumed_and_all_make_the_whole() -> None:
    watch = payroll()
    watch.passes("16:30")
    watch.happens("16:40", events.IncidentResolved, cycle=1)

    of = at(watch, "07-03 10:00")

    assert levels(of) == {"n1": 20, "n2": 370}
    assert (of.seconds // MINUTE, of.until) == (390, local("16:40"))
    assert of.seconds == watch.clock("ttr").elapsed_seconds


def test_what_went_back_is_the_desks_time_again() -> None:
    watch = payroll()
    back = {"cycle": 1, "from_level": "n2", "to_level": "n1", "team": "desk"}
    watch.happens(
        "11:40", events.EscalationReturned, **back, returned_at=local("11:40")
    )
    to(watch, "12:50", "n1", "n2")

    assert levels(at(watch, "13:00")) == {"n1": 90, "n2": 80}


def test_what_the_user_was_waited_for_passed_and_did_not_count() -> None:
    of = at(payroll(), "12:00")

    assert parties(of) == {"user": (60, 0), "vendor": (0, 0), "provider": (110, 110)}
    assert of.passed == 170 * MINUTE


def test_a_vendor_that_stops_nothing_passed_and_counted() -> None:
    watch = payroll()
    watch.happens("12:00", events.IncidentPaused, reason="vendor")
    watch.happens("12:30", events.IncidentResumed, cause="agent")

    assert parties(at(watch, "13:00")) == {
        "user": (60, 0),
        "vendor": (30, 30),
        "provider": (140, 140),
    }


def test_while_it_waits_it_is_the_turn_of_who_is_waited_for() -> None:
    watch = Watch()
    watch.opened("09:10")
    watch.happens("10:20", events.IncidentPaused, reason="user", question="?")

    assert parties(at(watch, "11:20"))["user"] == (60, 0)


def test_closed_hours_are_nobodys() -> None:
    watch = Watch()
    watch.opened("17:00", priority="p3")
    to(watch, "22:00", "n1", "n2")

    assert levels(at(watch, "07-01 09:00")) == {"n1": 60, "n2": 60}


def test_the_time_it_was_taken_to_be_over_is_nobodys() -> None:
    watch = payroll()
    watch.happens("12:00", events.IncidentRestored)
    watch.happens("13:00", events.IncidentRelapsed)

    of = at(watch, "13:30")

    assert (of.passed // MINUTE, of.seconds // MINUTE) == (200, 140)
    assert levels(of) == {"n1": 20, "n2": 120}


def test_reopened_it_is_with_the_first_level_again() -> None:
    watch = payroll()
    watch.happens("12:00", events.IncidentResolved, cycle=1)
    reopened = {"cycle": 2, "cause": "user", "after_closure": False}
    watch.happens("13:00", events.IncidentReopened, **reopened)

    assert levels(at(watch, "13:30", cycle=2)) == {"n1": 50, "n2": 90}


def test_it_is_said_in_english_and_in_french() -> None:
    of = at(payroll(), "12:00")

    assert shares(of, "Europe/Paris", "en") == [
        (
            "By Monday 30 June 2025 at 12:00, Paris time: 1 hour and 50 minutes"
            " consumed, of which N1 20 minutes and N2 1 hour and 30 minutes."
        ),
        (
            "Open hours since it began: 2 hours and 50 minutes, of which 1 hour waiting"
            " for the user (not counted) and 1 hour and 50 minutes ours."
        ),
    ]
    assert [each.replace("\xa0", " ") for each in shares(of, "Europe/Paris", "fr")] == [
        (
            "Au lundi 30 juin 2025 à 12:00, heure de Paris, temps consommé : 1 heure"
            " et 50 minutes, dont N1 20 minutes et N2 1 heure et 30 minutes."
        ),
        (
            "Heures ouvertes depuis le début : 2 heures et 50 minutes, dont 1 heure à"
            " attendre l’utilisateur (hors décompte) et 1 heure et 50 minutes à notre"
            " charge."
        ),
    ]


def test_before_any_open_hour_has_passed_nothing_is_said() -> None:
    watch = Watch()
    watch.opened("06:00")

    assert shares(at(watch, "07:00"), "Europe/Paris", "en") == []
