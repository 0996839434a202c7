"""TTO: a person has taken it on. Nothing pauses it, and no machine stops it."""

from shared.domain import events
from tests.support.builders.promises import Watch

SOURCE = {"by": "source:prometheus"}
MONITORED = {"reporter": None, "origin": "monitoring", **SOURCE}


def test_it_is_warned_of_and_breached_at_its_instants() -> None:
    watch = Watch()
    watch.opened("09:10", **MONITORED)

    assert watch.passes("10:00") == ["tto warned 75 % 09:32:30", "tto breached 09:40"]


def test_it_is_kept_in_the_second_in_which_it_is_due() -> None:
    watch = Watch()
    watch.opened("09:10", **MONITORED)
    watch.passes("09:40")

    assert watch.happens("09:40", events.IncidentAcknowledged) == ["tto met 09:40"]


def test_a_second_later_it_is_broken_and_the_work_is_told_by_how_much() -> None:
    watch = Watch()
    watch.opened("09:10", **MONITORED)

    assert watch.happens("09:41", events.IncidentAcknowledged)[-2:] == [
        "tto breached 09:40",
        "tto overran 09:41",
    ]
    assert watch.clock("tto").overrun_seconds == 60


def test_a_machine_that_acknowledges_and_a_mere_assignment_do_not_stop_it() -> None:
    watch = Watch()
    watch.opened("09:10", **MONITORED)

    key = "a" * 64
    assert not watch.happens(
        "09:12", events.IncidentSourceAcknowledged, source="p", signal_key=key, **SOURCE
    )
    assert not watch.happens(
        "09:13", events.IncidentAssigned, team="desk", assignee="paul"
    )
    assert watch.clock("tto").is_open


def test_a_recovery_before_anybody_took_it_on_cancels_it() -> None:
    watch = Watch()
    watch.opened("09:10", **MONITORED)

    assert watch.happens("09:20", events.IncidentRestored, **SOURCE) == [
        "tto cancelled 09:20",
        "ttr met 09:20",
    ]


def test_down_again_it_goes_on_without_the_time_service_was_there() -> None:
    watch = Watch()
    watch.opened("09:10", **MONITORED)
    watch.happens("09:20", events.IncidentRestored, **SOURCE)

    assert watch.happens("09:30", events.IncidentRelapsed, **SOURCE) == [
        "tto continued 09:30",
        "ttr continued 09:30",
    ]
    assert watch.passes("10:00")[-1] == "tto breached 09:50"


def test_a_new_cycle_arms_it_anew() -> None:
    watch = Watch()
    watch.opened("09:10")
    watch.happens("09:14", events.IncidentAcknowledged)
    watch.happens("10:00", events.IncidentResolved, cycle=1)

    armed = watch.happens(
        "14:00", events.IncidentReopened, cycle=2, cause="user", after_closure=False
    )

    assert armed[0] == "tto armed 14:30"


def test_what_was_split_off_was_owned_already() -> None:
    watch = Watch()

    assert watch.opened("09:10", split_from="INC-000003")[0] == "ttr armed 15:10"


def test_what_never_was_an_incident_ends_all_its_promises() -> None:
    watch = Watch()
    watch.opened("09:10")

    assert watch.happens(
        "09:15", events.IncidentCancelled, reason="not_an_incident"
    ) == [
        "tto cancelled 09:15",
        "ttr cancelled 09:15",
        "update cancelled 09:15",
    ]
    assert watch.passes("07-20 10:00") == []


def test_at_night_a_p1_counts_on_and_a_p2_waits_for_the_morning() -> None:
    assert Watch().opened("07:52", priority="p1")[0] == "tto armed 08:07"
    assert Watch().opened("07:52", priority="p2")[0] == "tto armed 08:30"
