"""PagerDuty's webhooks, versions 1 to 3. The bodies are our own."""

from typing import Any

import pytest

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.pagerduty.webhooks import MESSAGES_MAX
from services.intake.signals.schemas import Heard, Ignored, Rejected
from tests.unit.intake.commands.scenario import NINE

INCIDENT: dict[str, Any] = {
    "id": "Q1GATE",
    "type": "incident",
    "html_url": "https://acme.pagerduty.example/incidents/Q1GATE",
    "number": 12,
    "status": "triggered",
    "title": "Gate 12 does not open",
    "service": {"id": "PS1", "type": "service_reference", "summary": "gates"},
    "urgency": "high",
    "priority": None,
    "assignees": [{"summary": "Odette Marchand"}],
}
OLD: dict[str, Any] = {
    "id": "PGATE",
    "incident_key": "gate/12",
    "status": "triggered",
    "service": {"id": "PS1", "name": "gates"},
    "trigger_summary_data": {"subject": "Gate 12 does not open"},
    "assigned_to_user": "null",
}


def read(document: object) -> list[Heard]:
    return ADAPTERS["pagerduty"](document, InboundDocument("pd", NINE, "ours"))


def event(kind: str, data: object = INCIDENT, **more: object) -> Heard:
    said = {"id": "01E", "event_type": kind, "occurred_at": "2025-06-30T06:59:00Z"}
    (heard,) = read({"event": {**said, "data": data, **more}})
    return heard


def message(kind: str, number: int = 1, **incident: object) -> dict[str, Any]:
    """Return a message of version 1."""
    return {
        "id": f"m-{number}",
        "created_on": f"2025-06-30T06:0{number}:00Z",
        "type": kind,
        "data": {"incident": {**OLD, **incident}},
    }


def signal(heard: Heard) -> Signal:
    assert isinstance(heard, Signal), heard
    return heard


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("incident.triggered", "trigger"),
        ("incident.reopened", "trigger"),
        ("incident.unacknowledged", "trigger"),
        ("incident.acknowledged", "acknowledge"),
        ("incident.resolved", "resolve"),
    ],
)
def test_the_type_says_what_happened_not_the_status(kind: str, action: str) -> None:
    heard = signal(event(kind))

    assert (heard.action, heard.dedup_key, heard.event_id) == (action, "Q1GATE", "01E")
    assert heard.title == "Gate 12 does not open"
    assert str(heard.occurred_at) == "2025-06-30 06:59:00+00:00"


@pytest.mark.parametrize(
    "kind",
    [
        "incident.annotated",
        "incident.delegated",
        "incident.escalated",
        "incident.priority_updated",
        "incident.responder.added",
        "service.updated",
        "what.comes.next.year",
    ],
)
def test_what_is_no_news_of_the_trouble_is_ignored(kind: str) -> None:
    assert isinstance(event(kind), Ignored)


def test_a_ping_opens_nothing() -> None:
    heard = event("pagey.ping", {"type": "ping", "message": "Hello from Pagey"})

    assert isinstance(heard, Ignored)
    assert "test" in heard.reason


def test_urgency_is_no_severity_but_a_priority_is() -> None:
    plain = signal(event("incident.triggered"))
    ranked = signal(
        event("incident.triggered", {**INCIDENT, "priority": {"summary": "P2"}})
    )

    assert (plain.severity, plain.labels["urgency"]) == (None, "high")
    assert (ranked.severity, ranked.labels["priority"]) == ("error", "P2")


def test_the_service_is_a_label_for_the_policy_and_people_stay_out() -> None:
    heard = signal(event("incident.triggered"))

    assert heard.labels["service"] == "gates"
    assert "Odette" not in heard.model_dump_json()


def test_messages_of_one_body_are_taken_in_order() -> None:
    kinds = ("incident.trigger", "incident.acknowledge", "incident.resolve")
    batch = [message(kind, n) for n, kind in enumerate(kinds)]

    heard = [signal(each) for each in read({"messages": batch})]

    assert [each.action for each in heard] == ["trigger", "acknowledge", "resolve"]
    assert {each.dedup_key for each in heard} == {"gate/12"}
    assert [each.event_id for each in heard] == ["m-0", "m-1", "m-2"]


def test_version_2_names_its_incident_elsewhere() -> None:
    told = {"id": "m-1", "event": "incident.trigger", "incident": {**OLD, "title": "T"}}

    (heard,) = read({"messages": [told]})

    assert (signal(heard).title, signal(heard).dedup_key) == ("T", "gate/12")


def test_an_incident_without_a_key_is_named_by_its_id() -> None:
    (heard,) = read({"messages": [message("incident.trigger", incident_key=None)]})

    assert signal(heard).dedup_key == "PGATE"


@pytest.mark.parametrize(
    "bad",
    [
        7,
        {},
        {"type": 7},
        {"type": "incident.trigger"},
        {"type": "incident.trigger", "data": []},
        {"event": "incident.trigger", "incident": None},
        {**message("incident.trigger"), "id": 7},
        message("incident.trigger", incident_key=None, id=None),
    ],
)
def test_one_bad_message_does_not_fail_the_others(bad: object) -> None:
    good = message("incident.trigger")

    first, second, third = read({"messages": [good, bad, good]})

    assert isinstance(first, Signal)
    assert isinstance(second, Rejected)
    assert second.index == 1
    assert isinstance(third, Signal)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"event": 7},
        {"messages": {}},
        {"event": {"event_type": []}},
        {"event": {"event_type": "incident.triggered", "data": 7}},
        {"messages": [{}] * (MESSAGES_MAX + 1)},
    ],
)
def test_what_is_no_webhook_is_rejected_as_a_whole(document: object) -> None:
    (heard,) = read(document)

    assert isinstance(heard, Rejected)
