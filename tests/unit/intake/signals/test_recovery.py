"""A trouble is over, or was before we heard of it."""

import pytest

from shared.domain.commands.incident import Attach, Merge, Open, Restore
from shared.domain.events.incident_signals import IncidentRecovered
from shared.domain.incident import Status
from tests.support.desks.pure import PureDesk
from tests.support.policies import full
from tests.unit.intake.commands.scenario import NINE
from tests.unit.intake.signals.alert_desk import (
    A_MINUTE,
    FIRST,
    RESOLVE,
    SECOND,
    Trouble,
    firing,
    types,
)


def test_recovery_restores_and_resolves_what_nobody_reported() -> None:
    trouble = firing()
    trouble.hears("trigger")
    heard = trouble.hears("resolve")

    recovered = heard.events[0]
    assert types(heard) == ["recovered", "restored", "resolved"]
    assert isinstance(recovered, IncidentRecovered)
    assert recovered.repeats == 1
    assert heard.outcome == "recovered"
    assert trouble.incident.acknowledged_at is None


def test_recovery_only_restores_what_somebody_reported() -> None:
    trouble = firing()
    trouble.wishes(Attach(person="lefevre", channel="phone"))

    assert types(trouble.hears("resolve")) == ["recovered", "restored"]
    assert trouble.incident.status is Status.NEW


def test_what_a_workaround_restored_is_not_restored_again() -> None:
    trouble = firing()
    trouble.wishes(Attach(person="lefevre", channel="phone"))
    trouble.wishes(Restore(workaround=True))

    assert types(trouble.hears("resolve")) == ["recovered"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("always", ["recovered", "restored", "resolved"]),
        ("never", ["recovered", "restored"]),
    ],
)
def test_the_policy_says_what_recovery_resolves(word: str, expected: list[str]) -> None:
    trouble = Trouble(PureDesk(full(("resolves: unreported", f"resolves: {word}"))))
    trouble.hears("trigger")
    if word == "always":
        trouble.wishes(Attach(person="lefevre", channel="phone"))

    assert types(trouble.hears("resolve")) == expected


def test_an_agent_who_opened_one_counts_as_who_reported_it() -> None:
    trouble = firing()
    trouble.wishes(Open(title="seen in passing"), "INC-000007")
    trouble.wishes(Merge(into="INC-000007"))

    assert types(trouble.hears("resolve")) == ["recovered", "restored"]


def test_recovery_waits_for_all_signals() -> None:
    trouble = firing()
    trouble.hears("trigger", dedup_key="k2")
    trouble.wishes(Merge(into=FIRST), SECOND)

    assert types(trouble.hears("resolve", dedup_key="k2")) == ["recovered"]
    assert types(trouble.hears("resolve")) == ["recovered", "restored", "resolved"]


def test_recovering_twice_changes_nothing() -> None:
    trouble = firing()
    trouble.hears("resolve")
    heard = trouble.hears("resolve")

    assert (heard.outcome, heard.events) == ("duplicate", ())


def test_a_recovery_of_nothing_opens_nothing() -> None:
    trouble = Trouble()
    heard = trouble.hears("resolve")

    assert (heard.outcome, heard.events) == ("suppressed", ())
    assert heard.reason == "nothing was open for it"


def test_a_problem_that_comes_after_its_recovery_opens_nothing() -> None:
    trouble = Trouble()
    trouble.hears("resolve", occurred_at=NINE - A_MINUTE)
    heard = trouble.hears("trigger", occurred_at=NINE - 2 * A_MINUTE)

    assert (heard.outcome, heard.events) == ("suppressed", ())
    assert heard.reason == "it is older than its recovery"


def test_of_equal_instants_the_order_of_arrival_counts() -> None:
    trouble = Trouble()
    trouble.hears("resolve", occurred_at=NINE)

    assert trouble.hears("trigger", occurred_at=NINE).outcome == "opened"
    assert trouble.hears("resolve", occurred_at=NINE).outcome == "recovered"


def test_an_old_recovery_does_not_recover_what_fires_since() -> None:
    trouble = firing()
    trouble.later(A_MINUTE).hears("trigger", occurred_at=NINE + A_MINUTE)
    heard = trouble.hears("resolve", occurred_at=NINE)

    assert (heard.outcome, heard.events) == ("suppressed", ())
    assert trouble.row.state == "firing"


def test_an_old_problem_does_not_change_what_fires() -> None:
    trouble = firing()
    trouble.later(A_MINUTE).hears("trigger", occurred_at=NINE + A_MINUTE)
    heard = trouble.hears("trigger", occurred_at=NINE, severity="critical")

    assert (heard.outcome, heard.events) == ("duplicate", ())


def test_claims_are_not_compared_with_our_own_clock() -> None:
    trouble = firing()
    trouble.hears("resolve")
    heard = trouble.later(A_MINUTE).hears("trigger", occurred_at=NINE - A_MINUTE)

    assert types(heard) == ["reopened"]


def test_a_source_whose_clock_is_ahead_still_recovers() -> None:
    trouble = Trouble()
    trouble.hears("trigger", occurred_at=NINE + 60 * A_MINUTE)
    heard = trouble.later(A_MINUTE).hears("resolve", occurred_at=NINE + A_MINUTE)

    assert heard.outcome == "recovered"


def test_the_recovery_of_what_was_resolved_by_hand_is_recorded() -> None:
    trouble = firing()
    trouble.wishes(RESOLVE)

    assert types(trouble.hears("resolve")) == ["recovered"]
