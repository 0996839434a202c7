"""The desk is warned at any point of a target, before and after it is due."""

from typing import Any

from shared.domain import events
from tests.support.builders.promises import Watch, valmont

MONITORED = {"reporter": None, "origin": "monitoring", "by": "source:prometheus"}


def warned_at(marks: str) -> Watch:
    """Return a watch over an incident of 09:10, taken on, and due at 15:10."""
    watch = Watch(valmont(("warn:   [75%]", f"warn: [{marks}]")))
    watch.opened("09:10", **MONITORED)
    watch.happens("09:12", events.IncidentAcknowledged)
    return watch


def classified(watch: Watch, when: str, priority: str) -> list[str]:
    words: dict[str, Any] = {"service": "paie", "impact": "high", "urgency": "medium"}
    return watch.happens(when, events.IncidentClassified, **words, priority=priority)


def test_shares_and_times_before_and_after_each_come_at_their_instant() -> None:
    watch = warned_at("75%, 125%, 30m before, 30m after")

    assert watch.passes("07-02 18:00") == [
        "ttr warned 75 % 13:40",
        "ttr warned -30 min 14:40",
        "ttr breached 15:10",
        "ttr warned +30 min 15:40",
        "ttr warned 125 % 16:40",
    ]


def test_they_count_open_hours_as_the_target_does() -> None:
    watch = warned_at("3h after")

    assert watch.passes("07-01 10:00")[-1] == "ttr warned +180 min 07-01 08:10"


def test_what_would_come_before_the_beginning_is_no_warning() -> None:
    watch = Watch(valmont(("warn:   [75%]", "warn: [6h before, 5h59m before]")))
    watch.opened("09:10", **MONITORED)

    assert watch.passes("09:30") == ["ttr warned -359 min 09:11"]


def test_once_it_is_done_nobody_is_warned_any_more() -> None:
    watch = warned_at("30m after, 60m after")
    watch.passes("15:45")

    watch.happens("15:50", events.IncidentRestored)

    assert watch.passes("07-03 18:00") == []


def test_what_stands_late_is_not_warned_of_until_it_goes_on() -> None:
    watch = warned_at("30m after")
    watch.passes("15:20")
    watch.happens("15:20", events.IncidentPaused, reason="user", question="?")
    assert watch.passes("17:00") == []

    watch.happens("17:00", events.IncidentResumed, cause="reply")

    assert watch.passes("18:00") == ["ttr warned +30 min 17:20"]


def test_a_relapse_goes_on_with_the_warnings_that_are_left() -> None:
    watch = warned_at("30m after, 60m after")
    watch.passes("15:45")
    watch.happens("15:50", events.IncidentRestored)

    watch.happens("16:00", events.IncidentRelapsed)

    assert watch.passes("18:00") == ["ttr warned +60 min 16:20"]


def test_another_target_warns_anew_and_says_that_it_is_another() -> None:
    watch = warned_at("30m before")
    watch.passes("14:45")

    classified(watch, "14:50", "p3")

    assert watch.passes("07-02 18:00")[0] == "ttr warned -30 min 07-01 10:40"
    first, again = [each for each in watch.said if each.type == "sla.warned"]
    assert (first.retargets, again.retargets) == (None, 1)


def test_more_time_that_was_agreed_on_warns_anew() -> None:
    watch = Watch(valmont(("warn:   [75%]", "warn: [30m before]")))
    watch.opened("09:10")
    watch.happens("09:12", events.IncidentAcknowledged)
    watch.passes("14:45")

    watch.accepts("14:55", watch.proposes("14:50", "17:10"))

    assert "ttr warned -30 min 16:40" in watch.passes("17:00")


def test_a_target_that_is_broken_when_it_is_set_is_warned_of_only_as_late() -> None:
    watch = warned_at("75%, 30m before, 30m after")

    said = classified(watch, "13:30", "p1")

    assert said[-2:] == ["ttr retargeted 13:30", "ttr breached 13:30"]
    assert watch.passes("18:00") == ["ttr warned +30 min 13:40"]


def test_times_that_have_passed_when_a_target_is_set_are_said_at_once() -> None:
    watch = warned_at("30m before, 10m after")

    assert classified(watch, "13:00", "p1") == [
        "ttr retargeted 13:00",
        "ttr warned -30 min 13:00",
    ]
    assert watch.passes("14:00") == ["ttr breached 13:10", "ttr warned +10 min 13:20"]


def test_whoever_takes_an_incident_on_too_late_was_warned_so() -> None:
    watch = Watch(valmont(("warn:   [75%]", "warn: [150%]")))
    watch.opened("09:10", **MONITORED)

    assert watch.passes("10:00") == ["tto breached 09:40", "tto warned 150 % 09:55"]


def test_what_would_come_after_a_century_never_comes() -> None:
    hours = "paris:    {timezone: Europe/Paris, weekly_hours: "
    often, rare = '{mon-fri: ["08:00-18:00"]}', '{mon: ["08:00-09:00"]}'
    marks = ("warn:   [75%]", "warn: [75%, 9999h after]")
    watch = Watch(valmont((hours + often, hours + rare), marks))
    watch.opened("09:10", **MONITORED)

    assert watch.passes("12-01 18:00")[-1] == "ttr breached 08-25 08:00"
