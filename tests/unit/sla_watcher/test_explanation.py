"""A promise explains itself: window by window, in words, up to when it is due."""

from typing import get_args

import pytest

from services.projections.history.promise_account import sentences
from shared.domain import events
from shared.domain.sla import Explanation, explained
from shared.domain.working_time import hours_of
from shared.i18n.catalog import LANGUAGES, Language, text_of
from tests.support.builders.promises import VALMONT, Watch, shown


def account(watch: Watch, target: str = "ttr", cycle: int = 1) -> Explanation:
    clock = watch.clock(target, cycle)
    return explained(clock, hours_of(VALMONT.calendars[clock.calendar]))


def windows(watch: Watch, target: str = "ttr") -> list[str]:
    of = account(watch, target)
    return [
        f"{shown(each.begins)}–{shown(each.ends)} {each.seconds // 60}"
        + ("" if each.pause is None else f" {of.stops[each.pause].why}")
        for each in of.windows
    ]


def said(watch: Watch, language: Language = "en", target: str = "ttr") -> list[str]:
    return sentences(account(watch, target), language)


def payroll() -> Watch:
    watch = Watch()
    watch.opened("09:10")
    watch.happens("09:14", events.IncidentAcknowledged)
    return watch


def asked_for_an_hour() -> Watch:
    watch = payroll()
    watch.happens("10:20", events.IncidentPaused, reason="user", question="?")
    watch.happens("11:20", events.IncidentResumed, cause="reply")
    return watch


def test_the_windows_add_up_to_the_promise() -> None:
    watch = asked_for_an_hour()

    assert windows(watch) == [
        "09:10–10:20 70",
        "10:20–11:20 0 user",
        "11:20–16:10 290",
    ]
    assert account(watch).seconds == watch.clock("ttr").seconds


def test_closed_hours_are_between_the_windows() -> None:
    watch = Watch()
    watch.opened("15:10", priority="p3")

    assert windows(watch) == ["15:10–18:00 170", "07-01 08:00–07-01 17:10 550"]


def test_it_is_said_in_english() -> None:
    assert said(asked_for_an_hour()) == [
        (
            "By the contract “valmont”, the time to resolve is 6 hours"
            " (calendar “paris”, Europe/Paris), by version 1 of the policy."
            " It counts from Monday 30 June 2025 at 09:10, Paris time."
        ),
        (
            "Monday 30 June 2025 09:10–10:20: 1 hour and 10 minutes on the clock,"
            " 1 hour and 10 minutes so far."
        ),
        "Monday 30 June 2025 10:20–11:20: not counted, since we wait for the user.",
        (
            "Monday 30 June 2025 11:20–16:10: 4 hours and 50 minutes on the clock,"
            " 6 hours so far."
        ),
        "Total: 6 hours of 6 hours.",
        "So it is due on Monday 30 June 2025 at 16:10, Paris time.",
    ]


def test_it_is_said_in_french() -> None:
    assert said(asked_for_an_hour(), "fr")[2:] == [
        (
            "lundi 30 juin 2025 10:20–11:20\xa0: non décompté, car nous attendons"
            " l’utilisateur."
        ),
        (
            "lundi 30 juin 2025 11:20–16:10\xa0: 4\xa0heures et 50 minutes au décompte,"
            " soit 6\xa0heures en tout."
        ),
        "Total\xa0: 6\xa0heures sur 6\xa0heures.",
        "L’échéance est donc le lundi 30 juin 2025 à 16:10, heure de Paris.",
    ]


def test_while_it_stands_it_says_what_is_left() -> None:
    watch = payroll()
    watch.happens("10:20", events.IncidentPaused, reason="user", question="?")

    assert windows(watch) == ["09:10–10:20 70"]
    assert said(watch)[-1] == (
        "It is paused, with 4 hours and 50 minutes left: there is no due date."
    )


def test_a_broken_one_says_by_how_much() -> None:
    watch = payroll()
    watch.passes("15:30")
    watch.happens("15:40", events.IncidentRestored)

    assert said(watch)[-2:] == [
        (
            "So it was due on Monday 30 June 2025 at 15:10, Paris time, and was broken"
            " on Monday 30 June 2025 at 15:10, Paris time."
        ),
        "It was done on Monday 30 June 2025 at 15:40, Paris time, 30 minutes too late.",
    ]


def test_a_kept_one_says_how_much_was_left() -> None:
    assert said(payroll(), target="tto")[-1] == (
        "It was met on Monday 30 June 2025 at 09:14, Paris time, with 26 minutes left."
    )


def test_a_cancelled_one_says_why() -> None:
    watch = Watch()
    watch.opened("09:10")
    watch.happens("09:20", events.IncidentCancelled, reason="not_an_incident")

    assert said(watch)[-1] == (
        "It was cancelled on Monday 30 June 2025 at 09:20, Paris time:"
        " the incident was cancelled."
    )


def test_the_time_it_was_taken_to_be_over_does_not_count() -> None:
    watch = payroll()
    watch.happens("10:00", events.IncidentRestored, workaround=True)
    watch.happens("10:30", events.IncidentRelapsed)

    assert windows(watch) == [
        "09:10–10:00 50",
        "10:00–10:30 0 over",
        "10:30–15:40 310",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_to_end_a_promise_has_words(language: Language) -> None:
    reasons = get_args(events.SlaCancelled.model_fields["reason"].annotation)

    assert len(reasons) > 1
    for reason in reasons:
        assert text_of(language, "explanation.reason", reason) != reason
