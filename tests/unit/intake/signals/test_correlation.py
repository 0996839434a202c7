"""A signal meets what is known of its trouble."""

from services.intake.signals.rules.correlation import SUMMARY_EVERY
from shared.domain.commands.incident import Classify, Merge, Open
from shared.domain.events.incident import IncidentClassified, IncidentOpened
from shared.domain.events.incident_signals import IncidentSignalled
from shared.domain.incident import Status
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
    firing,
    only,
    types,
)


def test_a_trouble_opens_an_incident() -> None:
    trouble = Trouble()
    heard = trouble.hears("trigger", service="horaires", labels={"a": "b"})

    event = only(heard)
    assert isinstance(event, IncidentOpened)
    assert heard.outcome == "opened"
    assert (event.incident, event.origin, event.by) == (
        FIRST,
        "monitoring",
        "source:prom",
    )
    assert (event.impact, event.urgency, event.priority) == ("medium", "low", "p3")
    assert (event.policy, event.signal_key) == (1, K1)
    assert event.labels == {"a": "b"}
    assert event.reported_at == event.received_at == NINE


def test_the_clock_starts_when_it_was_received_not_when_it_began() -> None:
    trouble = Trouble()
    event = only(trouble.hears("trigger", occurred_at=NINE - A_MINUTE))

    assert isinstance(event, IncidentOpened)
    assert (event.reported_at, event.occurred_at) == (NINE, NINE - A_MINUTE)


def test_an_unlisted_service_opens_under_unknown_and_is_shown() -> None:
    trouble = Trouble()
    event = only(trouble.hears("trigger", service="fax"))

    assert isinstance(event, IncidentOpened)
    assert (event.service, event.claimed_service) == ("unknown", "fax")


def test_what_does_not_say_how_bad_it_is_is_taken_as_an_error() -> None:
    trouble = Trouble()
    event = only(trouble.hears("trigger", severity=None, service="billetterie"))

    assert isinstance(event, IncidentOpened)
    assert (event.severity, event.urgency) == (None, "high")


def test_a_repeat_changes_nothing_and_is_counted() -> None:
    trouble = firing()
    for _ in range(3):
        heard = trouble.hears("trigger")

    assert (heard.outcome, heard.events) == ("duplicate", ())
    assert trouble.row.repeats == 3


def test_repeats_are_told_once_a_minute() -> None:
    trouble = firing()
    trouble.hears("trigger")
    before = trouble.later(SUMMARY_EVERY - A_SECOND).hears("trigger")
    told = trouble.later(A_SECOND).hears("trigger")
    after = trouble.later(SUMMARY_EVERY - A_SECOND).hears("trigger")

    event = only(told)
    assert (before.events, after.events) == ((), ())
    assert isinstance(event, IncidentSignalled)
    assert (event.repeats, event.last_at) == (3, NINE + SUMMARY_EVERY)
    assert told.outcome == "duplicate"
    assert trouble.row.repeats == 1


def test_another_severity_is_told_at_once() -> None:
    trouble = firing()
    trouble.hears("trigger")
    heard = trouble.hears("trigger", severity="info")

    event = only(heard)
    assert isinstance(event, IncidentSignalled)
    assert (event.severity, event.repeats) == ("info", 1)
    assert heard.outcome == "signalled"
    assert trouble.hears("trigger", severity="info").outcome == "duplicate"


def test_a_worse_severity_raises_the_priority() -> None:
    trouble = firing()
    heard = trouble.hears("trigger", severity="critical")

    assert types(heard) == ["signalled", "classified"]
    classified = heard.events[1]
    assert isinstance(classified, IncidentClassified)
    assert (classified.priority, classified.urgency) == ("p2", "high")
    assert classified.by == "source:prom"


def test_a_milder_severity_does_not_lower_it() -> None:
    trouble = firing()
    trouble.hears("trigger", severity="critical")
    trouble.hears("trigger", severity="info")

    assert trouble.incident.priority == "p2"


def test_what_a_person_classified_no_signal_raises() -> None:
    trouble = firing()
    trouble.wishes(Classify(urgency="low", category="horaire"))

    assert types(trouble.hears("trigger", severity="critical")) == ["signalled"]


def test_a_signal_that_leaves_the_severity_out_changes_none() -> None:
    trouble = firing()
    assert trouble.hears("trigger", severity=None).outcome == "duplicate"


def test_an_acknowledgement_at_the_source_stops_no_clock() -> None:
    trouble = firing()
    heard = trouble.hears("acknowledge")

    assert types(heard) == ["source_acknowledged"]
    assert heard.outcome == "signalled"
    assert trouble.incident.status is Status.NEW
    assert trouble.incident.acknowledged_at is None
    assert trouble.hears("acknowledge").outcome == "duplicate"


def test_it_is_told_anew_once_the_trouble_came_back() -> None:
    trouble = firing()
    trouble.hears("acknowledge")
    trouble.hears("resolve")
    trouble.hears("trigger")

    assert types(trouble.hears("acknowledge")) == ["source_acknowledged"]


def test_an_acknowledgement_of_nothing_is_suppressed() -> None:
    trouble = Trouble()
    assert trouble.hears("acknowledge").outcome == "suppressed"


def test_a_reference_is_taken_only_where_one_is_opened() -> None:
    trouble = firing()
    for action in ("trigger", "acknowledge", "resolve", "resolve", "trigger"):
        trouble.hears(action)

    assert trouble.later(WINDOW + A_SECOND).hears("resolve").outcome == "recovered"
    trouble.later(WINDOW + A_SECOND).hears("trigger")
    assert sorted(trouble.desk.incidents) == [FIRST, SECOND]


def test_an_acknowledgement_of_what_is_resolved_is_suppressed() -> None:
    trouble = firing()
    trouble.wishes(RESOLVE)

    assert trouble.hears("acknowledge").outcome == "suppressed"


def test_what_a_person_opened_no_signal_raises() -> None:
    trouble = firing()
    wish = Open(title="no trams", reporter="lefevre", channel="phone", urgency="low")
    trouble.wishes(wish, "INC-000007")
    trouble.wishes(Merge(into="INC-000007"))

    assert types(trouble.hears("trigger", severity="critical")) == ["signalled"]


def test_two_sources_never_speak_of_the_same_trouble() -> None:
    trouble = firing()

    assert trouble.hears("trigger", source="quais").outcome == "opened"
