"""What has to hold before it is believed: a trouble, a recovery, a silence."""

from datetime import timedelta

from services.intake.signals.rules.context import GIVEN_UP_AFTER
from services.intake.signals.rules.explanation import explained
from shared.domain.commands.incident import Merge, Open
from shared.domain.events.incident import IncidentOpened, IncidentReopened
from shared.domain.events.incident_signals import IncidentRecovered
from shared.domain.incident import AT_WORK, Status
from tests.unit.intake.commands.scenario import NINE
from tests.unit.intake.signals.alert_desk import (
    A_MINUTE,
    A_SECOND,
    FIRST,
    K1,
    RESOLVE,
    at_desk,
    only,
    types,
)

HOLD = ", hold_down: 10m"
LATER = ", open_after: 2m"
SILENT = ", recovers_after: 4h"
TEN = timedelta(minutes=10)
TWO = timedelta(minutes=2)
FOUR_HOURS = timedelta(hours=4)


def test_a_recovery_takes_effect_once_it_has_held() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    heard = trouble.later(A_MINUTE).hears("resolve", occurred_at=NINE)
    assert (heard.outcome, heard.rule, heard.events) == ("held", "hold_down", ())

    assert trouble.waits(TEN - A_SECOND) == []
    events = trouble.waits(A_SECOND)
    assert types(events) == ["recovered", "restored", "resolved"]
    recovered = events[0]
    assert isinstance(recovered, IncidentRecovered)
    assert recovered.held_until == recovered.at == NINE + A_MINUTE + TEN
    assert (recovered.rule, recovered.rule_of) == ("hold_down", "10m")
    assert recovered.occurred_at == NINE


def test_noticed_late_it_says_when_it_was_so() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve")
    recovered = trouble.waits(timedelta(hours=3))[0]

    assert isinstance(recovered, IncidentRecovered)
    assert recovered.held_until == NINE + TEN
    assert recovered.at == NINE + timedelta(hours=3)


def test_what_fires_before_that_was_never_over() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve")
    assert trouble.later(TEN - A_SECOND).hears("trigger").outcome == "duplicate"

    assert trouble.waits(TEN) == []
    assert trouble.row.due_at is None


def test_what_fires_after_that_reopens_though_nobody_looked_in_time() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve")
    heard = trouble.later(TEN).hears("trigger")

    assert types(trouble.desk.log) == [
        "opened",
        "recovered",
        "restored",
        "resolved",
        "reopened",
    ]
    assert heard.rule == "fires_again"


def test_looking_twice_changes_nothing() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve")
    trouble.waits(TEN)

    assert trouble.desk.pass_time(trouble.now, anew=True) == []


def test_a_second_recovery_does_not_make_it_wait_longer() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve")
    assert trouble.later(A_MINUTE).hears("resolve").outcome == "duplicate"

    assert trouble.waits(TEN - A_MINUTE)


def test_a_held_recovery_follows_its_key_to_another_incident() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve")
    trouble.wishes(Open(title="seen in passing"), "INC-000007")
    trouble.wishes(Merge(into="INC-000007"))
    events = trouble.waits(TEN)

    assert types(events) == ["recovered", "restored"]
    assert {event.incident for event in events} == {"INC-000007"}


def test_what_somebody_resolved_meanwhile_recovers_in_peace() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve")
    trouble.wishes(RESOLVE)

    assert types(trouble.waits(TEN)) == ["recovered"]


def test_a_trouble_opens_only_if_it_still_fires_then() -> None:
    trouble = at_desk(LATER)
    heard = trouble.hears("trigger")
    assert (heard.outcome, heard.rule, heard.row.incident) == (
        "held",
        "open_after",
        None,
    )
    assert trouble.later(A_MINUTE).hears("trigger").outcome == "held"

    opened = trouble.waits(A_MINUTE)[0]
    assert isinstance(opened, IncidentOpened)
    assert (opened.rule, opened.rule_of) == ("open_after", "2m")
    assert opened.reported_at == NINE


def test_what_is_over_before_that_is_recorded_and_opens_nothing() -> None:
    trouble = at_desk(LATER)
    trouble.hears("trigger")
    heard = trouble.later(A_MINUTE).hears("resolve")

    assert (heard.outcome, heard.rule) == ("suppressed", "transient")
    assert heard.reason == "it fired for less than 2m"
    assert trouble.waits(TWO) == []
    assert [each.action for each in trouble.desk.suppressed] == ["trigger", "resolve"]


def test_each_time_it_must_hold_anew() -> None:
    trouble = at_desk(LATER)
    trouble.hears("trigger")
    trouble.later(A_MINUTE).hears("resolve")
    trouble.hears("trigger")

    assert trouble.waits(TWO - A_SECOND) == []
    assert types(trouble.waits(A_SECOND)) == ["opened"]


def test_a_reopening_waits_too() -> None:
    trouble = at_desk(LATER)
    trouble.hears("trigger")
    trouble.waits(TWO)
    trouble.hears("resolve")
    assert trouble.hears("trigger").outcome == "held"

    reopened = trouble.waits(TWO)[0]
    assert isinstance(reopened, IncidentReopened)
    assert reopened.rule == "open_after"


def test_what_is_acknowledged_while_it_is_held_changes_nothing() -> None:
    trouble = at_desk(LATER)
    trouble.hears("trigger")

    assert trouble.hears("acknowledge").rule == "nothing_open"


def test_what_never_says_that_it_is_over_counts_as_such_after_a_time() -> None:
    trouble = at_desk(SILENT)
    trouble.hears("trigger")
    trouble.later(FOUR_HOURS - A_SECOND).hears("trigger")
    assert trouble.waits(FOUR_HOURS - A_SECOND) == []

    events = trouble.waits(A_SECOND)
    recovered = events[0]
    assert types(events) == ["recovered", "restored", "resolved"]
    assert isinstance(recovered, IncidentRecovered)
    assert (recovered.rule, recovered.rule_of, recovered.by) == (
        "timeout",
        "4h",
        "system:intake",
    )
    assert trouble.desk.rows[K1].state == "recovered"
    assert types([only(trouble.hears("trigger"))]) == ["reopened"]


def test_a_format_without_recoveries_is_given_up_by_itself() -> None:
    trouble = at_desk("")
    trouble.desk.adapter = "sentry_legacy"
    trouble.hears("trigger")
    trouble.later(A_MINUTE).hears("trigger")
    assert explained(trouble.row, trouble.incident).endswith(
        "if nothing more is heard, it counts as recovered at 2025-07-01T07:01:00Z."
    )
    assert trouble.waits(GIVEN_UP_AFTER - A_SECOND) == []

    events = trouble.waits(A_SECOND)
    recovered = events[0]
    assert types(events) == ["recovered", "restored", "resolved"]
    assert isinstance(recovered, IncidentRecovered)
    assert (recovered.rule, recovered.rule_of) == ("timeout", "24h")
    assert explained(trouble.row, trouble.incident) == (
        "It counts as recovered, since no recovery was heard for 24h: "
        f"{FIRST} is for it, and is resolved."
    )


def test_how_long_that_takes_its_source_may_set() -> None:
    trouble = at_desk(SILENT)
    trouble.desk.adapter = "sentry_legacy"
    trouble.hears("trigger")

    assert types(trouble.waits(FOUR_HOURS)) == ["recovered", "restored", "resolved"]


def test_or_switch_it_off() -> None:
    trouble = at_desk(", recovers_after: never")
    trouble.desk.adapter = "sentry_legacy"
    trouble.hears("trigger")

    assert trouble.row.due_at is None
    assert trouble.waits(10 * GIVEN_UP_AFTER) == []


def test_what_tells_of_recoveries_is_not_given_up() -> None:
    trouble = at_desk("")
    trouble.hears("trigger")

    assert trouble.waits(10 * GIVEN_UP_AFTER) == []


def test_without_settings_nothing_is_ever_due() -> None:
    trouble = at_desk("")
    trouble.hears("trigger")
    trouble.hears("resolve")

    assert trouble.row.due_at is None
    assert trouble.desk.incidents[FIRST].status is Status.RESOLVED
    assert Status.RESOLVED not in AT_WORK
