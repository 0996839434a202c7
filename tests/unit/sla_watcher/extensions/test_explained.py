"""A promise tells what was agreed about it, beside what it was at first."""

from services.projections.history.promise_account import sentences
from shared.domain.commands.sla import AttributeBreach, RefuseExtension
from shared.domain.events.incident import IncidentRestored
from shared.domain.sla import Explanation, explained
from shared.domain.working_time import hours_of
from shared.i18n.catalog import Language
from tests.support.builders.extensions import E1, extended, payroll
from tests.support.builders.promises import VALMONT, Watch


def account(watch: Watch) -> Explanation:
    clock = watch.clock("ttr")
    return explained(clock, hours_of(VALMONT.calendars[clock.calendar]))


def said(watch: Watch, language: Language = "en") -> list[str]:
    return sentences(account(watch), language)


def test_what_was_agreed_stands_beside_what_was_promised() -> None:
    told = said(extended())

    assert "is 6 hours" in told[0]
    assert told[1] == (
        f"Extension {E1}: on Monday 30 June 2025 at 14:05, Paris time, roche agreed to"
        " Tuesday 1 July 2025 at 10:00, Paris time."
    )
    assert told[-3:] == [
        "Total: 10 hours and 50 minutes of 10 hours and 50 minutes.",
        "So it is due on Tuesday 1 July 2025 at 10:00, Paris time.",
        (
            "By the contract alone it would have been due on Monday 30 June 2025 at"
            " 15:10, Paris time."
        ),
    ]


def test_the_same_in_french() -> None:
    told = said(extended(), "fr")

    assert told[1] == (
        f"Prolongation {E1}\xa0: le lundi 30 juin 2025 à 14:05, heure de Paris, roche a"
        " accepté d’aller jusqu’au mardi 1er juillet 2025 à 10:00, heure de Paris."
    )
    assert told[-1] == (
        "Par le contrat seul, l’échéance aurait été le lundi 30 juin 2025 à 15:10,"
        " heure de Paris."
    )


def test_what_nobody_has_agreed_to_changes_nothing() -> None:
    watch = payroll()
    watch.proposes("14:00", "07-01 10:00")

    told = said(watch)
    assert "Nobody has agreed, and nothing has changed." in told[1]
    assert told[-1] == "So it is due on Monday 30 June 2025 at 15:10, Paris time."
    wish = RefuseExtension(refused_by="roche", channel="email")
    watch.asks("14:20", wish, "paul", E1)
    assert "roche did not agree to" in said(watch)[1]


def test_what_expired_says_so() -> None:
    watch = payroll()
    watch.proposes("14:00", "07-01 10:00", answer_by="14:30")
    watch.passes("14:31")

    assert said(watch)[1] == (
        f"Extension {E1}: nobody had agreed to Tuesday 1 July 2025 at 10:00, Paris"
        " time by Monday 30 June 2025 at 14:30, Paris time."
    )


def test_after_a_breach_it_says_that_the_breach_stays_and_whose_it_is() -> None:
    watch = payroll()
    watch.passes("15:11")
    watch.accepts("15:30", watch.proposes("15:20", "07-01 10:00"))
    watch.happens("16:10", IncidentRestored)
    wish = AttributeBreach(party="user", reason="Absent")
    watch.asks("16:50", wish, "sylvie", scopes=("manager",))

    told = said(watch)
    assert told[1].endswith("It was broken already, and the breach stays.")
    assert told[-2].endswith("1 hour too late.")
    assert told[-1] == (
        "The breach is the user’s: sylvie said so on Monday 30 June 2025 at 16:50,"
        " Paris time."
    )
