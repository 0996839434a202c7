"""TTR: until service is back. It stands for what the contract names, and no more."""

from shared.domain import events
from tests.support.builders.promises import Watch, shown, valmont

MONITORED = {"reporter": None, "origin": "monitoring", "by": "source:prometheus"}


def taken(when: str = "09:10", **words: object) -> Watch:
    watch = Watch()
    watch.opened(when, **(MONITORED | words))
    watch.happens(when, events.IncidentAcknowledged)
    return watch


def test_service_that_is_back_by_a_workaround_keeps_it() -> None:
    watch = taken("07:52", priority="p1")

    assert watch.happens("08:31", events.IncidentRestored, workaround=True) == [
        "ttr met 08:31"
    ]
    assert watch.clock("ttr").elapsed_seconds == 39 * 60


def test_where_the_contract_says_so_only_resolving_does() -> None:
    watch = Watch(valmont(("stops_at: restored", "stops_at: resolved")))
    watch.opened("09:10", **MONITORED)
    watch.happens("09:10", events.IncidentAcknowledged)

    assert watch.happens("09:30", events.IncidentRestored) == []
    assert watch.happens("09:40", events.IncidentResolved, cycle=1) == ["ttr met 09:40"]


def test_a_relapse_goes_on_from_where_it_stood() -> None:
    watch = taken()
    watch.happens("10:10", events.IncidentRestored)

    assert watch.happens("11:10", events.IncidentRelapsed) == ["ttr continued 11:10"]
    assert shown(watch.clock("ttr").due_at) == "16:10"


def test_waiting_for_a_vendor_is_ours() -> None:
    watch = taken()

    assert watch.happens("10:00", events.IncidentPaused, reason="vendor") == []
    assert watch.passes("16:00")[-1] == "ttr breached 15:10"


def test_while_it_stands_it_has_no_due_instant_and_nothing_warns() -> None:
    watch = taken()
    watch.happens("10:10", events.IncidentPaused, reason="user", question="Quel mois ?")

    assert watch.passes("07-20 18:00") == []
    assert watch.clock("ttr").due_at is None


def test_waiting_over_night_takes_only_open_hours_from_it() -> None:
    watch = taken("14:10")
    watch.happens("17:00", events.IncidentPaused, reason="user", question="Quel mois ?")
    watch.happens("07-01 09:00", events.IncidentResumed, cause="reply")

    assert shown(watch.clock("ttr").due_at) == "07-01 12:10"


def test_a_breach_stays_whatever_comes_after() -> None:
    watch = taken()
    watch.passes("15:11")
    watch.happens("15:30", events.IncidentRestored)
    watch.happens("15:40", events.IncidentRelapsed)
    watch.happens("16:00", events.IncidentRestored)

    clock = watch.clock("ttr")
    assert clock.state == "breached"
    assert clock.overrun_seconds == (20 + 20) * 60


def test_reopened_it_has_what_was_left() -> None:
    watch = taken()
    watch.happens("11:10", events.IncidentRestored)
    watch.happens("11:10", events.IncidentResolved, cycle=1)

    said = watch.happens(
        "14:10", events.IncidentReopened, cycle=2, cause="user", after_closure=True
    )

    assert said == ["tto armed 14:40", "ttr armed 07-01 08:10"]


def test_a_promise_that_was_broken_is_not_made_again_by_reopening() -> None:
    watch = taken()
    watch.passes("15:11")
    watch.happens("15:30", events.IncidentResolved, cycle=1)

    said = watch.happens(
        "16:00", events.IncidentReopened, cycle=2, cause="user", after_closure=False
    )

    assert said == ["tto armed 16:30"]


def test_merging_ends_it_and_undoing_that_counts_the_time_between() -> None:
    watch = taken()

    assert watch.happens("09:40", events.IncidentMerged, into="INC-000001") == [
        "ttr cancelled 09:40"
    ]
    said = watch.happens(
        "10:40", events.IncidentUnmerged, out_of="INC-000001", signals={}
    )
    assert said == ["ttr continued 10:40"]
    assert shown(watch.clock("ttr").due_at) == "15:10"


def test_used_up_at_closing_time_it_is_broken_only_when_the_desk_opens() -> None:
    watch = taken("12:00")  # six open hours: until 18:00 sharp
    assert shown(watch.clock("ttr").due_at) == "18:00"

    watch.passes("07-01 08:00:00")
    assert watch.clock("ttr").is_open
    assert watch.passes("07-01 08:00:01") == ["ttr breached 07-01 08:00"]


def test_restored_in_the_evening_it_was_kept() -> None:
    watch = taken("12:00")

    assert watch.happens("20:00", events.IncidentRestored)[-1] == "ttr met 20:00"
    assert watch.clock("ttr").elapsed_seconds == 6 * 3600
