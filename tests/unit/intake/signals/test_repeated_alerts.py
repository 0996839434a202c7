"""A trouble comes back, or was never over."""

from datetime import datetime, timedelta

import pytest

from services.intake.signals.formats import KEEPS_ITS_INSTANT
from services.intake.signals.rules.correlation import STALE_WITHIN, SUMMARY_EVERY
from shared.domain.commands.incident import Attach, Cancel, Close, Merge, Open, Restore
from shared.domain.events.incident import IncidentOpened, IncidentReopened
from tests.unit.intake.commands.scenario import NINE
from tests.unit.intake.signals.alert_desk import (
    A_MINUTE,
    A_SECOND,
    FIRST,
    K1,
    RESOLVE,
    SECOND,
    WINDOW,
    Trouble,
    at_desk,
    firing,
    only,
    types,
)


def test_what_fires_again_is_reopened_within_the_window() -> None:
    trouble = firing()
    trouble.hears("resolve")
    heard = trouble.later(WINDOW).hears("trigger", severity="critical")

    event = heard.events[0]
    assert types(heard) == ["reopened", "classified"]
    assert isinstance(event, IncidentReopened)
    assert (event.cause, event.cycle, event.after_closure) == ("signal", 2, False)
    assert heard.outcome == "signalled"
    assert trouble.incident.signals == {K1: "firing"}


def test_later_than_that_another_incident_follows_it() -> None:
    trouble = firing()
    trouble.hears("resolve")
    heard = trouble.later(WINDOW + A_SECOND).hears("trigger")

    event = only(heard)
    assert isinstance(event, IncidentOpened)
    assert (event.incident, event.follows) == (SECOND, FIRST)
    assert trouble.row.incident == SECOND


def test_the_window_of_a_closed_one_begins_with_its_closure() -> None:
    trouble = firing()
    trouble.hears("resolve")
    trouble.later(WINDOW).wishes(Close())
    event = only(trouble.later(WINDOW).hears("trigger"))

    assert isinstance(event, IncidentReopened)
    assert event.after_closure


def test_what_was_resolved_by_hand_and_still_fires_is_reopened() -> None:
    trouble = firing()
    trouble.hears("trigger")
    trouble.wishes(RESOLVE)
    event = only(trouble.hears("trigger"))

    assert isinstance(event, IncidentReopened)
    assert event.repeats == 1


def test_what_was_restored_and_fires_again_relapses() -> None:
    trouble = firing()
    trouble.wishes(Attach(person="lefevre", channel="phone"))
    trouble.hears("resolve")
    heard = trouble.hears("trigger")

    assert types(heard) == ["relapsed"]
    assert trouble.incident.restored_at is None


def test_a_repeat_is_no_relapse_of_a_workaround() -> None:
    trouble = firing()
    trouble.wishes(Restore(workaround=True))

    assert trouble.hears("trigger").outcome == "duplicate"
    assert types(trouble.later(SUMMARY_EVERY).hears("trigger")) == ["signalled"]


def test_what_the_desk_cancelled_stays_quiet_while_it_fires() -> None:
    trouble = firing()
    trouble.wishes(Cancel(reason="not_an_incident"))
    heard = trouble.later(WINDOW).hears("trigger")

    assert (heard.outcome, heard.events) == ("suppressed", ())
    assert heard.reason == f"{FIRST} was cancelled"


def test_but_not_for_ever() -> None:
    trouble = firing()
    trouble.wishes(Cancel(reason="not_an_incident"))
    event = only(trouble.later(WINDOW + A_SECOND).hears("trigger"))

    assert isinstance(event, IncidentOpened)
    assert event.follows == FIRST


def test_nor_once_it_recovered() -> None:
    trouble = firing()
    trouble.wishes(Cancel(reason="not_an_incident"))
    trouble.hears("resolve")

    assert trouble.hears("trigger").outcome == "opened"


def test_a_row_left_behind_by_a_merging_loses_nothing() -> None:
    trouble = firing()
    trouble.wishes(Open(title="seen in passing"), "INC-000007")
    trouble.wishes(Merge(into="INC-000007"))
    trouble.desk.rows[K1] = trouble.row._replace(incident=FIRST)

    assert trouble.hears("trigger").outcome == "opened"


def test_a_row_left_behind_by_a_merging_recovers_quietly() -> None:
    trouble = firing()
    trouble.wishes(Open(title="seen in passing"), "INC-000007")
    trouble.wishes(Merge(into="INC-000007"))
    trouble.desk.rows[K1] = trouble.row._replace(incident=FIRST)

    assert trouble.hears("resolve").outcome == "suppressed"


def test_a_trigger_overtaken_by_its_recovery_is_not_believed_for_a_while() -> None:
    trouble = firing().later(A_MINUTE)
    trouble.hears("resolve", occurred_at=NINE + A_MINUTE)

    heard = trouble.later(A_MINUTE).hears("trigger", occurred_at=NINE)

    assert heard.outcome == "suppressed"


def test_nor_is_it_ever_after_that() -> None:
    trouble = firing().later(A_MINUTE)
    trouble.hears("resolve", occurred_at=NINE + A_MINUTE)

    heard = trouble.later(2 * WINDOW).hears("trigger", occurred_at=NINE)

    assert (heard.outcome, heard.rule) == ("suppressed", "older_than_recovery")
    assert trouble.hears("trigger", occurred_at=trouble.now).outcome == "opened"


@pytest.mark.parametrize("adapter", sorted(KEEPS_ITS_INSTANT))
def test_a_format_that_keeps_its_instant_is_believed_later(adapter: str) -> None:
    """Cut off, the trouble was given up for recovered; Alertmanager does so."""
    trouble = firing().later(A_MINUTE)
    trouble.desk.adapter = adapter
    trouble.hears("resolve", occurred_at=NINE + A_MINUTE)
    overtaken = trouble.later(STALE_WITHIN).hears("trigger", occurred_at=NINE)

    heard = trouble.later(A_SECOND).hears("trigger", occurred_at=NINE)

    assert overtaken.outcome == "suppressed"
    assert types(heard)[0] == "reopened"


@pytest.mark.parametrize("recovered_at", [NINE, None])
def test_a_trigger_sent_again_is_known_by_its_instant(
    recovered_at: datetime | None,
) -> None:
    """Also where the recovery has the instant of its trouble, or none."""
    trouble = Trouble()
    trouble.hears("trigger", occurred_at=NINE)
    trouble.later(A_MINUTE).hears("resolve", occurred_at=recovered_at)

    heard = trouble.later(2 * WINDOW).hears("trigger", occurred_at=NINE)

    assert (heard.outcome, heard.rule) == ("suppressed", "older_than_recovery")
    assert heard.reason == "it was heard before its recovery"


def test_also_where_the_clock_of_its_source_is_ahead() -> None:
    ahead = NINE + 30 * A_MINUTE
    trouble = Trouble()
    trouble.hears("trigger", occurred_at=ahead)
    trouble.later(A_MINUTE).hears("resolve", occurred_at=ahead + A_MINUTE)

    again = trouble.later(10 * A_MINUTE).hears("trigger", occurred_at=ahead)
    anew = trouble.hears("trigger", occurred_at=ahead + 10 * A_MINUTE)

    assert again.outcome == "suppressed"
    assert types(anew)[0] == "reopened"


def test_what_the_desk_gave_up_itself_goes_on_with_its_instant() -> None:
    trouble = at_desk(", recovers_after: 4h")
    trouble.hears("trigger", occurred_at=NINE)
    trouble.waits(timedelta(hours=4))

    assert types(trouble.hears("trigger", occurred_at=NINE)) == ["reopened"]


def test_unless_its_source_says_that_it_is_over() -> None:
    trouble = at_desk(", recovers_after: 4h")
    trouble.hears("trigger", occurred_at=NINE)
    trouble.waits(timedelta(hours=4))
    trouble.hears("resolve")

    assert trouble.hears("trigger", occurred_at=NINE).outcome == "suppressed"


def test_repeats_are_told_once_only() -> None:
    trouble = firing()
    trouble.hears("trigger")
    trouble.hears("resolve")
    event = only(trouble.hears("trigger"))

    assert isinstance(event, IncidentReopened)
    assert event.repeats == 0
