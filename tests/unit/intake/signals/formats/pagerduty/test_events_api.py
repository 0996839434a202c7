"""PagerDuty's Events API v2, trouble and changes. The bodies are our own."""

from typing import Any

import pytest

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Ignored, Rejected
from tests.unit.intake.commands.scenario import NINE

PAYLOAD: dict[str, Any] = {
    "summary": "Gate 12 does not open",
    "source": "gate-12.quais.example",
    "severity": "critical",
    "timestamp": "2025-06-30T08:58:01.123+0200",
    "component": "lock",
    "group": "quais",
    "class": "stuck",
    "custom_details": {"service": "gates", "tries": 3, "dump": {"a": [1]}},
}
EVENT: dict[str, Any] = {
    "routing_key": "a-key",
    "event_action": "trigger",
    "dedup_key": "gate/12",
    "payload": PAYLOAD,
    "links": [{"href": "https://runbook.example/7", "text": "Runbook"}],
    "images": [{"src": "https://graph.example/7.png"}],
    "client": "Watcher",
    "client_url": "https://watcher.example",
}


def read(document: object, kind: str = "pagerduty_events") -> Heard:
    (heard,) = ADAPTERS[kind](document, InboundDocument("watcher", NINE, "e-1"))
    return heard


def signal(**said: Any) -> Signal:
    heard = read({**EVENT, **said})
    assert isinstance(heard, Signal), heard
    return heard


def test_a_trigger_is_a_trouble() -> None:
    heard = signal()

    assert (heard.action, heard.severity) == ("trigger", "critical")
    assert (heard.title, heard.dedup_key) == ("Gate 12 does not open", "gate/12")
    assert str(heard.occurred_at) == "2025-06-30 06:58:01.123000+00:00"
    assert heard.event_id == "e-1"


def test_where_it_is_and_what_is_short_become_labels() -> None:
    assert signal().labels == {
        "source": "gate-12.quais.example",
        "component": "lock",
        "group": "quais",
        "class": "stuck",
        "service": "gates",
        "tries": "3",
    }


def test_links_images_client_and_details_are_for_people() -> None:
    details = str(signal().details)

    for said in ("runbook.example/7", "7.png", "Watcher", '"dump":{"a":[1]}'):
        assert said in details


def test_the_key_of_the_source_is_not_kept_in_the_signal() -> None:
    assert "a-key" not in signal().model_dump_json()


@pytest.mark.parametrize("action", ["resolve", "acknowledge"])
def test_what_follows_needs_its_key_alone(action: str) -> None:
    heard = read({"event_action": action, "dedup_key": "gate/12"})

    assert isinstance(heard, Signal)
    assert (heard.action, heard.dedup_key) == (action, "gate/12")
    assert heard.dedup_key == signal().dedup_key


@pytest.mark.parametrize("key", [None, ""])
def test_a_trigger_without_a_key_gets_one_from_what_it_says(key: str | None) -> None:
    made = signal(dedup_key=key).dedup_key

    assert made.startswith("auto:")
    assert (
        made == signal(dedup_key=key, payload={**PAYLOAD, "severity": "info"}).dedup_key
    )
    for name in ("summary", "source", "component", "group", "class"):
        other = signal(dedup_key=key, payload={**PAYLOAD, name: "other"})
        assert other.dedup_key != made


@pytest.mark.parametrize("when", [None, "", "noon", ["x"], "0001-01-01T00:00:00Z"])
def test_an_instant_that_is_none_does_not_cost_the_event(when: object) -> None:
    assert signal(payload={**PAYLOAD, "timestamp": when}).occurred_at is None


def test_what_pagerduty_cuts_is_cut() -> None:
    assert len(signal(payload={**PAYLOAD, "summary": "x" * 3_000}).title) == 1_024


@pytest.mark.parametrize(
    ("said", "reason", "loc"),
    [
        ({"event_action": "explode"}, "trigger, acknowledge, resolve", "event_action"),
        ({"event_action": ["trigger"]}, "one of trigger", "event_action"),
        ({"event_action": "resolve", "dedup_key": ""}, "needs the key", "dedup_key"),
        ({"dedup_key": 7}, "a text", "dedup_key"),
        ({"dedup_key": "k" * 513}, "at most 512", "dedup_key"),
        ({"payload": None}, "summary, source and severity", "payload"),
        ({"payload": {**PAYLOAD, "summary": " "}}, "missing or blank", "summary"),
        ({"payload": {**PAYLOAD, "source": None}}, "missing or blank", "source"),
        ({"payload": {**PAYLOAD, "severity": "page"}}, "critical, error", "severity"),
        ({"payload": {**PAYLOAD, "severity": []}}, "critical, error", "severity"),
    ],
)
def test_what_pagerduty_refuses_is_rejected_with_its_place(
    said: dict[str, Any], reason: str, loc: str
) -> None:
    heard = read({**EVENT, **said})

    assert isinstance(heard, Rejected)
    assert reason in heard.reason
    assert heard.loc[-1] == loc


@pytest.mark.parametrize("kind", ["pagerduty_events", "pagerduty_changes"])
@pytest.mark.parametrize("document", [None, 7, [], "text", {}, {"payload": []}])
def test_what_is_no_event_is_rejected(document: object, kind: str) -> None:
    assert isinstance(read(document, kind), Rejected)


def test_a_change_opens_nothing_and_can_be_asked_for() -> None:
    heard = read({"payload": {"summary": "Deployed 7.2"}}, "pagerduty_changes")

    assert isinstance(heard, Ignored)
    assert (heard.title, heard.event_id) == ("Deployed 7.2", "e-1")


@pytest.mark.parametrize("summary", [None, "", " \n", 7])
def test_a_change_says_what_it_is(summary: object) -> None:
    heard = read({"payload": {"summary": summary}}, "pagerduty_changes")

    assert heard == Rejected(0, "is missing or blank", ("payload", "summary"))


def test_a_change_tells_when_of_which_service_and_where_to_read_more() -> None:
    payload = {
        "summary": "Deployed 7.2",
        "timestamp": "2025-06-30T06:55:00Z",
        "custom_details": {"service": "gates", "build": 72},
    }
    links = [
        {"href": "https://ci.example/72", "text": "Build\n72"},
        {"href": "javascript:alert(1)"},
        {"href": "https://ci.example/\n"},
        {"text": "nowhere"},
        7,
    ]
    heard = read({"payload": payload, "links": links}, "pagerduty_changes")

    assert isinstance(heard, Ignored)
    change = heard.change
    assert change is not None
    assert (change.summary, change.service) == ("Deployed 7.2", "gates")
    assert str(change.at) == "2025-06-30 06:55:00+00:00"
    assert change.links == ({"href": "https://ci.example/72", "text": "Build 72"},)
