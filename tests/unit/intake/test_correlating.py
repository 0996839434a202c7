"""A signal meets what is known of its trouble."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from services.intake.commands import Command
from services.intake.correlation import SUMMARY_EVERY, Correlated, KeyRow, correlate
from services.intake.decider import decide
from services.intake.signals import Signal, signal_key
from shared.events import IncidentEvent
from shared.events.incident import (
    IncidentClassified,
    IncidentOpened,
    IncidentReopened,
)
from shared.events.incident_signals import IncidentRecovered, IncidentSignalled
from shared.incident import Incident, Status, evolve
from shared.policy.document import Policy
from shared.references import incident_ref
from shared.wishes import (
    Attach,
    Cancel,
    Classify,
    Close,
    Merge,
    Open,
    PersonsWish,
    Resolve,
    Restore,
)
from tests.support.policies import full

from .spec import NINE, ODETTE, POLICY

K1, K2 = signal_key("prom", "k1"), signal_key("prom", "k2")
WINDOW = POLICY.reopen_within
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@dataclass
class Desk:
    """One trouble, its row, the incidents it came to, and a clock moved by hand."""

    now: datetime = NINE
    row: KeyRow = field(default_factory=lambda: KeyRow(K1, "prom"))
    incidents: dict[str, Incident] = field(default_factory=dict)
    policy: Policy = POLICY
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def hears(self, action: str, **said: Any) -> Correlated:
        """Let the source say something now."""
        usual = {"source": "prom", "dedup_key": "k1", "title": "Tickets cannot be sold"}
        signal = Signal(action=action, **{"severity": "warning", **usual, **said})
        heard = correlate(
            self.row,
            self.incidents.get(self.row.incident or ""),
            signal,
            received_at=self.now,
            at=self.now,
            policy=self.policy,
            policy_version=3,
            fresh=map(incident_ref, self.numbers),
        )
        self.row = heard.row
        self._apply(heard.events)
        return heard

    def wishes(self, wish: PersonsWish, ref: str = "INC-000001") -> None:
        """Let Odette do something now."""
        other = getattr(wish, "into", None)
        events = decide(
            Command(ref, self.now, ODETTE, wish, ("agent",)),
            self.incidents.get(ref),
            other=self.incidents.get(other or ""),
            policy=self.policy,
            policy_version=3,
        )
        self._apply(events)

    def later(self, span: timedelta) -> "Desk":
        """Move the clock."""
        self.now += span
        return self

    @property
    def incident(self) -> Incident:
        """The incident of the trouble."""
        return self.incidents[self.row.incident or ""]

    def _apply(self, events: Any) -> None:
        for each in events:
            ref = each.incident
            self.incidents[ref] = evolve(self.incidents.get(ref), each)


def types(heard: Correlated) -> list[str]:
    return [e.type.removeprefix("incident.") for e in heard.events]


def only(heard: Correlated) -> IncidentEvent:
    (event,) = heard.events
    return event


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def firing() -> Desk:
    """A desk whose trouble fires since NINE."""
    desk = Desk()
    desk.hears("trigger", service="horaires")
    return desk


def test_a_trouble_opens_an_incident(desk: Desk) -> None:
    heard = desk.hears("trigger", service="horaires", labels={"a": "b"})

    event = only(heard)
    assert isinstance(event, IncidentOpened)
    assert heard.outcome == "opened"
    assert (event.incident, event.origin, event.by) == (
        "INC-000001",
        "monitoring",
        "source:prom",
    )
    assert (event.impact, event.urgency, event.priority) == ("medium", "low", "p3")
    assert (event.policy, event.signal_key) == (3, K1)
    assert event.labels == {"a": "b"}
    assert event.reported_at == event.received_at == NINE


def test_the_clock_starts_when_it_was_received_not_when_it_began(desk: Desk) -> None:
    event = only(desk.hears("trigger", occurred_at=NINE - MINUTE))

    assert isinstance(event, IncidentOpened)
    assert (event.reported_at, event.occurred_at) == (NINE, NINE - MINUTE)


def test_an_unlisted_service_opens_under_unknown_and_is_shown(desk: Desk) -> None:
    event = only(desk.hears("trigger", service="fax"))

    assert isinstance(event, IncidentOpened)
    assert (event.service, event.claimed_service) == ("unknown", "fax")


def test_what_does_not_say_how_bad_it_is_is_taken_as_an_error(desk: Desk) -> None:
    event = only(desk.hears("trigger", severity=None, service="billetterie"))

    assert isinstance(event, IncidentOpened)
    assert (event.severity, event.urgency) == (None, "high")


def test_a_repeat_changes_nothing_and_is_counted(firing: Desk) -> None:
    for _ in range(3):
        heard = firing.hears("trigger")

    assert (heard.outcome, heard.events) == ("duplicate", ())
    assert firing.row.repeats == 3


def test_repeats_are_told_once_a_minute(firing: Desk) -> None:
    firing.hears("trigger")
    before = firing.later(SUMMARY_EVERY - SECOND).hears("trigger")
    told = firing.later(SECOND).hears("trigger")
    after = firing.later(SUMMARY_EVERY - SECOND).hears("trigger")

    event = only(told)
    assert (before.events, after.events) == ((), ())
    assert isinstance(event, IncidentSignalled)
    assert (event.repeats, event.last_at) == (3, NINE + SUMMARY_EVERY)
    assert told.outcome == "duplicate"
    assert firing.row.repeats == 1


def test_another_severity_is_told_at_once(firing: Desk) -> None:
    firing.hears("trigger")
    heard = firing.hears("trigger", severity="info")

    event = only(heard)
    assert isinstance(event, IncidentSignalled)
    assert (event.severity, event.repeats) == ("info", 1)
    assert heard.outcome == "signalled"
    assert firing.hears("trigger", severity="info").outcome == "duplicate"


def test_a_worse_severity_raises_the_priority(firing: Desk) -> None:
    heard = firing.hears("trigger", severity="critical")

    assert types(heard) == ["signalled", "classified"]
    classified = heard.events[1]
    assert isinstance(classified, IncidentClassified)
    assert (classified.priority, classified.urgency) == ("p2", "high")
    assert classified.by == "source:prom"


def test_a_milder_severity_does_not_lower_it(firing: Desk) -> None:
    firing.hears("trigger", severity="critical")
    firing.hears("trigger", severity="info")

    assert firing.incident.priority == "p2"


def test_what_a_person_classified_no_signal_raises(firing: Desk) -> None:
    firing.wishes(Classify(urgency="low", category="horaire"))

    assert types(firing.hears("trigger", severity="critical")) == ["signalled"]


def test_a_signal_that_leaves_the_severity_out_changes_none(firing: Desk) -> None:
    assert firing.hears("trigger", severity=None).outcome == "duplicate"


def test_recovery_restores_and_resolves_what_nobody_reported(firing: Desk) -> None:
    firing.hears("trigger")
    heard = firing.hears("resolve")

    recovered = heard.events[0]
    assert types(heard) == ["recovered", "restored", "resolved"]
    assert isinstance(recovered, IncidentRecovered)
    assert recovered.repeats == 1
    assert heard.outcome == "recovered"
    assert firing.incident.acknowledged_at is None


def test_recovery_only_restores_what_somebody_reported(firing: Desk) -> None:
    firing.wishes(Attach(person="lefevre", channel="phone"))

    assert types(firing.hears("resolve")) == ["recovered", "restored"]
    assert firing.incident.status is Status.NEW


def test_what_a_workaround_restored_is_not_restored_again(firing: Desk) -> None:
    firing.wishes(Attach(person="lefevre", channel="phone"))
    firing.wishes(Restore(workaround=True))

    assert types(firing.hears("resolve")) == ["recovered"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("always", ["recovered", "restored", "resolved"]),
        ("never", ["recovered", "restored"]),
    ],
)
def test_the_policy_says_what_recovery_resolves(word: str, expected: list[str]) -> None:
    desk = Desk(policy=full(("resolves: unreported", f"resolves: {word}")))
    desk.hears("trigger")
    if word == "always":
        desk.wishes(Attach(person="lefevre", channel="phone"))

    assert types(desk.hears("resolve")) == expected


def test_an_agent_who_opened_one_counts_as_who_reported_it(firing: Desk) -> None:
    firing.wishes(Open(title="seen in passing"), "INC-000007")
    firing.wishes(Merge(into="INC-000007"))
    firing.row = firing.row._replace(incident="INC-000007")

    assert types(firing.hears("resolve")) == ["recovered", "restored"]


def test_recovery_waits_for_all_signals(firing: Desk) -> None:
    other = firing.row
    firing.row = KeyRow(K2, "prom")
    firing.hears("trigger", dedup_key="k2")
    firing.wishes(Merge(into="INC-000001"), "INC-000002")
    firing.row = firing.row._replace(incident="INC-000001")

    assert types(firing.hears("resolve", dedup_key="k2")) == ["recovered"]
    firing.row = other
    assert types(firing.hears("resolve")) == ["recovered", "restored", "resolved"]


def test_recovering_twice_changes_nothing(firing: Desk) -> None:
    firing.hears("resolve")
    heard = firing.hears("resolve")

    assert (heard.outcome, heard.events) == ("duplicate", ())


def test_a_recovery_of_nothing_opens_nothing(desk: Desk) -> None:
    heard = desk.hears("resolve")

    assert (heard.outcome, heard.events) == ("suppressed", ())
    assert heard.reason == "nothing was open for it"


def test_a_problem_that_comes_after_its_recovery_opens_nothing(desk: Desk) -> None:
    desk.hears("resolve", occurred_at=NINE - MINUTE)
    heard = desk.hears("trigger", occurred_at=NINE - 2 * MINUTE)

    assert (heard.outcome, heard.events) == ("suppressed", ())
    assert heard.reason == "it is older than its recovery"


def test_of_equal_instants_the_order_of_arrival_counts(desk: Desk) -> None:
    desk.hears("resolve", occurred_at=NINE)

    assert desk.hears("trigger", occurred_at=NINE).outcome == "opened"
    assert desk.hears("resolve", occurred_at=NINE).outcome == "recovered"


def test_an_old_recovery_does_not_recover_what_fires_since(firing: Desk) -> None:
    firing.later(MINUTE).hears("trigger", occurred_at=NINE + MINUTE)
    heard = firing.hears("resolve", occurred_at=NINE)

    assert (heard.outcome, heard.events) == ("suppressed", ())
    assert firing.row.state == "firing"


def test_an_old_problem_does_not_change_what_fires(firing: Desk) -> None:
    firing.later(MINUTE).hears("trigger", occurred_at=NINE + MINUTE)
    heard = firing.hears("trigger", occurred_at=NINE, severity="critical")

    assert (heard.outcome, heard.events) == ("duplicate", ())


def test_claims_are_not_compared_with_our_own_clock(firing: Desk) -> None:
    firing.hears("resolve")
    heard = firing.later(MINUTE).hears("trigger", occurred_at=NINE - MINUTE)

    assert types(heard) == ["reopened"]


def test_a_source_whose_clock_is_ahead_still_recovers(desk: Desk) -> None:
    desk.hears("trigger", occurred_at=NINE + 60 * MINUTE)
    heard = desk.later(MINUTE).hears("resolve", occurred_at=NINE + MINUTE)

    assert heard.outcome == "recovered"


def test_what_fires_again_is_reopened_within_the_window(firing: Desk) -> None:
    firing.hears("resolve")
    heard = firing.later(WINDOW).hears("trigger", severity="critical")

    event = heard.events[0]
    assert types(heard) == ["reopened", "classified"]
    assert isinstance(event, IncidentReopened)
    assert (event.cause, event.cycle, event.after_closure) == ("signal", 2, False)
    assert heard.outcome == "signalled"
    assert firing.incident.signals == {K1: "firing"}


def test_later_than_that_another_incident_follows_it(firing: Desk) -> None:
    firing.hears("resolve")
    heard = firing.later(WINDOW + SECOND).hears("trigger")

    event = only(heard)
    assert isinstance(event, IncidentOpened)
    assert (event.incident, event.follows) == ("INC-000002", "INC-000001")
    assert firing.row.incident == "INC-000002"


def test_the_window_of_a_closed_one_begins_with_its_closure(firing: Desk) -> None:
    firing.hears("resolve")
    firing.later(WINDOW).wishes(Close())
    event = only(firing.later(WINDOW).hears("trigger"))

    assert isinstance(event, IncidentReopened)
    assert event.after_closure


def test_what_was_resolved_by_hand_and_still_fires_is_reopened(firing: Desk) -> None:
    firing.hears("trigger")
    firing.wishes(Resolve())
    event = only(firing.hears("trigger"))

    assert isinstance(event, IncidentReopened)
    assert event.repeats == 1


def test_the_recovery_of_what_was_resolved_by_hand_is_recorded(firing: Desk) -> None:
    firing.wishes(Resolve())

    assert types(firing.hears("resolve")) == ["recovered"]


def test_what_was_restored_and_fires_again_relapses(firing: Desk) -> None:
    firing.wishes(Attach(person="lefevre", channel="phone"))
    firing.hears("resolve")
    heard = firing.hears("trigger")

    assert types(heard) == ["relapsed"]
    assert firing.incident.restored_at is None


def test_a_repeat_is_no_relapse_of_a_workaround(firing: Desk) -> None:
    firing.wishes(Restore(workaround=True))

    assert firing.hears("trigger").outcome == "duplicate"
    assert types(firing.later(SUMMARY_EVERY).hears("trigger")) == ["signalled"]


def test_what_the_desk_cancelled_stays_quiet_while_it_fires(firing: Desk) -> None:
    firing.wishes(Cancel(reason="not_an_incident"))
    heard = firing.later(WINDOW).hears("trigger")

    assert (heard.outcome, heard.events) == ("suppressed", ())
    assert heard.reason == "INC-000001 was cancelled"


def test_but_not_for_ever(firing: Desk) -> None:
    firing.wishes(Cancel(reason="not_an_incident"))
    event = only(firing.later(WINDOW + SECOND).hears("trigger"))

    assert isinstance(event, IncidentOpened)
    assert event.follows == "INC-000001"


def test_nor_once_it_recovered(firing: Desk) -> None:
    firing.wishes(Cancel(reason="not_an_incident"))
    firing.hears("resolve")

    assert firing.hears("trigger").outcome == "opened"


def test_a_row_left_behind_by_a_merging_loses_nothing(firing: Desk) -> None:
    firing.wishes(Open(title="seen in passing"), "INC-000007")
    firing.wishes(Merge(into="INC-000007"))

    assert firing.hears("trigger").outcome == "opened"


def test_a_row_left_behind_by_a_merging_recovers_quietly(firing: Desk) -> None:
    firing.wishes(Open(title="seen in passing"), "INC-000007")
    firing.wishes(Merge(into="INC-000007"))

    assert firing.hears("resolve").outcome == "suppressed"


def test_an_acknowledgement_at_the_source_stops_no_clock(firing: Desk) -> None:
    heard = firing.hears("acknowledge")

    assert types(heard) == ["source_acknowledged"]
    assert heard.outcome == "signalled"
    assert firing.incident.status is Status.NEW
    assert firing.incident.acknowledged_at is None
    assert firing.hears("acknowledge").outcome == "duplicate"


def test_it_is_told_anew_once_the_trouble_came_back(firing: Desk) -> None:
    firing.hears("acknowledge")
    firing.hears("resolve")
    firing.hears("trigger")

    assert types(firing.hears("acknowledge")) == ["source_acknowledged"]


def test_an_acknowledgement_of_nothing_is_suppressed(desk: Desk) -> None:
    assert desk.hears("acknowledge").outcome == "suppressed"


def test_a_reference_is_taken_only_where_one_is_opened(firing: Desk) -> None:
    for action in ("trigger", "acknowledge", "resolve", "resolve", "trigger"):
        firing.hears(action)

    assert next(firing.numbers) == 2
