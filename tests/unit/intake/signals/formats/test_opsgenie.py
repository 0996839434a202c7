"""Opsgenie's webhooks. The bodies are our own."""

from typing import Any

import pytest

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Ignored, Rejected
from tests.unit.intake.commands.scenario import NINE

CREATED_MS = 1_751_266_741_123  # 06:59:01.123, NINE being 07:00 UTC
UPDATED_NS = 1_751_266_761_000_000_110
ALERT: dict[str, Any] = {
    "alertId": "7f0e",
    "message": "Gate 12 does not open",
    "alias": "gate/12",
    "tinyId": "12",
    "entity": "gate-12",
    "source": "watcher",
    "priority": "P2",
    "tags": ["quais", "north"],
    "createdAt": CREATED_MS,
    "updatedAt": UPDATED_NS,
    "description": "It was tried three times.",
    "details": {"service": "gates", "log": "x\n" * 100},
}


def read(action: object, **alert: object) -> Heard:
    body = {"action": action, "alert": {**ALERT, **alert}, "integrationName": "Hook"}
    (heard,) = ADAPTERS["opsgenie"](body, InboundDocument("og", NINE, "e-1"))
    return heard


def signal(action: str, **alert: object) -> Signal:
    heard = read(action, **alert)
    assert isinstance(heard, Signal), heard
    return heard


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ("Create", "trigger"),
        ("UnAcknowledge", "trigger"),
        ("Acknowledge", "acknowledge"),
        ("Close", "resolve"),
        ("Delete", "resolve"),
    ],
)
def test_what_happened_to_an_alert(said: str, action: str) -> None:
    heard = signal(said)

    assert (heard.action, heard.dedup_key) == (action, "gate/12")
    assert heard.title == "Gate 12 does not open"


@pytest.mark.parametrize(
    "action", ["AddTags", "AssignOwnership", "Snooze", "EscalateNext", "x"]
)
def test_what_is_no_news_of_the_trouble_is_ignored(action: str) -> None:
    heard = read(action)

    assert isinstance(heard, Ignored)
    assert heard.event_id == "e-1"


def test_a_note_is_words_on_the_trouble_and_no_news_of_it() -> None:
    heard = signal("AddNote", note="Seen at noon.\nWill be\x00back.", username="weiss")

    assert (heard.action, heard.dedup_key) == ("note", "gate/12")
    assert heard.details == "Seen at noon.\nWill be back."
    assert heard.labels["author"] == "weiss"
    assert isinstance(read("AddNote"), Ignored), "without words"


def test_created_is_in_milliseconds_and_updated_in_nanoseconds() -> None:
    assert str(signal("Create").occurred_at) == "2025-06-30 06:59:01.123000+00:00"
    assert str(signal("Close").occurred_at) == "2025-06-30 06:59:21+00:00"


@pytest.mark.parametrize("when", [None, "soon", -1, 0, [1], 10**40, True])
def test_an_instant_that_is_none_does_not_cost_the_alert(when: object) -> None:
    assert signal("Create", createdAt=when).occurred_at is None


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ("P1", "critical"),
        ("p2", "error"),
        (3, "warning"),
        ("4", "info"),
        ("P5", "info"),
        ("P6", None),
        (None, None),
        ([], None),
    ],
)
def test_a_priority_is_a_text_or_a_number(priority: object, severity: object) -> None:
    assert signal("Create", priority=priority).severity == severity


def test_short_details_are_labels_and_all_is_there_for_people() -> None:
    heard = signal("Create")

    assert heard.labels == {
        "service": "gates",
        "entity": "gate-12",
        "source": "watcher",
        "tags": "quais, north",
        "priority": "P2",
    }
    assert "tried three times" in str(heard.details)


@pytest.mark.parametrize("alias", [None, ""])
def test_without_an_alias_the_id_names_it(alias: object) -> None:
    assert signal("Create", alias=alias).dedup_key == "7f0e"


def test_a_recovery_may_say_less() -> None:
    assert signal("Close", message=None).title == "gate/12"


@pytest.mark.parametrize(
    "alert",
    [{"alias": 7}, {"alias": None, "alertId": None}, {"message": 7}, {"message": " "}],
)
def test_an_alert_has_a_name_and_a_message(alert: dict[str, object]) -> None:
    assert isinstance(read("Create", **alert), Rejected)


def test_an_alias_that_is_no_text_is_no_title_either() -> None:
    assert isinstance(read("Close", alias=7, message=None), Rejected)


@pytest.mark.parametrize(
    "document", [None, [], {}, {"action": "Create"}, {"action": 7, "alert": {}}]
)
def test_what_is_no_webhook_is_rejected(document: object) -> None:
    (heard,) = ADAPTERS["opsgenie"](document, InboundDocument("og", NINE))

    assert isinstance(heard, Rejected)
