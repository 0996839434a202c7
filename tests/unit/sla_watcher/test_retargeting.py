"""What is promised changes with priority, service and client; what was, stays."""

from typing import Any

from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentClassified,
    IncidentPaused,
    IncidentResumed,
)
from shared.domain.sla import promised
from tests.support.builders.promises import VALMONT, Watch, local, shown, valmont

MONITORED = {"reporter": None, "origin": "monitoring", "by": "source:prometheus"}


def classified(watch: Watch, when: str, **words: Any) -> list[str]:
    given = {
        "service": "paie",
        "impact": "high",
        "urgency": "medium",
        "priority": "p2",
        "client": None,
    }
    return watch.happens(when, IncidentClassified, **(given | words))


def taken() -> Watch:
    watch = Watch()
    watch.opened("09:10", **MONITORED)
    watch.happens("09:12", IncidentAcknowledged)
    return watch


def test_a_higher_priority_counts_from_the_original_start() -> None:
    watch = taken()

    assert classified(watch, "10:00", priority="p1") == ["ttr retargeted 10:00"]
    assert shown(watch.clock("ttr").due_at) == "13:10"


def test_times_it_stood_are_kept() -> None:
    watch = taken()
    watch.happens("09:20", IncidentPaused, reason="user", question="?")
    watch.happens("09:50", IncidentResumed, cause="reply")

    classified(watch, "10:00", priority="p3")

    assert shown(watch.clock("ttr").due_at) == "07-01 11:40"


def test_while_it_stands_another_target_is_set_without_an_instant() -> None:
    watch = taken()
    watch.happens("09:20", IncidentPaused, reason="user", question="?")

    assert classified(watch, "09:30", priority="p1") == ["ttr retargeted 09:30"]
    assert watch.clock("ttr").due_at is None

    watch.happens("09:50", IncidentResumed, cause="reply")
    assert shown(watch.clock("ttr").due_at) == "13:40"


def test_a_target_shorter_than_what_passed_is_broken_when_it_is_set() -> None:
    watch = taken()

    said = classified(watch, "14:00", priority="p1")

    assert said[-2:] == ["ttr retargeted 14:00", "ttr breached 14:00"]


def test_the_same_class_said_again_changes_nothing() -> None:
    assert classified(taken(), "10:00") == []


def test_warnings_come_again_for_another_target() -> None:
    watch = taken()
    watch.passes("13:41")

    classified(watch, "14:00", priority="p3")

    assert watch.passes("07-01 10:00") == ["ttr warned 75 % 07-01 08:10"]


def test_a_client_without_a_contract_was_promised_nothing() -> None:
    watch = taken()

    assert classified(watch, "10:00", client="somebody-else") == ["ttr cancelled 10:00"]
    assert classified(watch, "11:00", client="mairie-valmont") == [
        "ttr continued 11:00"
    ]
    assert shown(watch.clock("ttr").due_at) == "15:10"


def test_without_a_contract_no_clock_runs_and_nothing_is_refused() -> None:
    watch = Watch()

    assert watch.opened("09:10", service="unknown", **MONITORED) == []
    assert watch.passes("07-20 10:00") == []


def test_of_several_contracts_the_strictest_counts_and_all_are_told() -> None:
    policy = valmont(
        (
            "services: [entrepots], calendar: montreal",
            "services: [entrepots, paie], calendar: montreal",
        )
    )

    pledge = promised(policy, "paie", None, "p2", local("09:10"))["ttr"]

    assert pledge.contract == "valmont"
    assert pledge.candidates == ("boreale", "valmont")


def test_a_contract_begins_and_ends_on_a_day_of_its_own_zone() -> None:
    covered = [
        bool(promised(VALMONT, "entrepots", "boreale-logistique", "p2", instant))
        for instant in (
            local("04-01 05:59").replace(year=2025),
            local("04-01 06:00").replace(year=2025),
        )
    ]

    assert covered == [False, True]


def test_a_holiday_in_montreal_moves_what_is_promised_there() -> None:
    pledges = promised(VALMONT, "entrepots", "boreale-logistique", "p3", local("22:30"))

    assert shown(pledges["ttr"].due_at) == "07-03 16:30"
