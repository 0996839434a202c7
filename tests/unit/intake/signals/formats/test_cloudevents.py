"""CloudEvents structured and in batches. The events are our own."""

import base64
from typing import Any

import pytest

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.clouds.cloudevents import BATCH_MAX
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Rejected
from tests.unit.intake.commands.scenario import NINE

DEEP = b"[" * 50 + b"]" * 50
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "7",
    "source": "/quais/north",
    "type": "example.gate.stuck",
    "subject": "gate-12",
    "time": "2025-06-30T06:59:00Z",
    "severitytext": "WARN",
    "site": "quais",
    "data": {"tries": 3},
}


def read(document: object) -> list[Heard]:
    return ADAPTERS["cloudevents"](
        document, InboundDocument("bus", NINE, headers=STRUCTURED)
    )


def signal(**said: object) -> Signal:
    whole = {**EVENT, **said}
    (heard,) = read({name: value for name, value in whole.items() if value is not ...})
    assert isinstance(heard, Signal), heard
    return heard


def rejected(**said: object) -> Rejected:
    whole = {**EVENT, **said}
    (heard,) = read({name: value for name, value in whole.items() if value is not ...})
    assert isinstance(heard, Rejected), heard
    return heard


def test_source_and_id_name_the_message_and_source_and_subject_the_trouble() -> None:
    heard = signal()

    assert (heard.event_id, heard.dedup_key) == (
        "/quais/north|7",
        "/quais/north|gate-12",
    )
    assert str(heard.occurred_at) == "2025-06-30 06:59:00+00:00"
    assert heard.source == "bus"


@pytest.mark.parametrize("subject", [None, "", ...])
def test_without_a_subject_the_source_names_the_trouble(subject: object) -> None:
    assert signal(subject=subject).dedup_key == "/quais/north"


def test_names_too_long_for_us_stay_names() -> None:
    long = signal(id="x" * 9_000, subject="y" * 9_000)

    assert str(long.event_id).startswith("sha256:")
    assert long.event_id != signal(id="x" * 9_001).event_id
    assert long.dedup_key == signal(subject="y" * 9_000).dedup_key


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("example.gate.stuck", "trigger"),
        ("example.gate.resolved", "resolve"),
        ("example.gate.Recovered.v2", "resolve"),
        ("example.gate.cleared-1.0", "resolve"),
        ("example/gate/ok", "resolve"),
        ("example.gate.acknowledged", "acknowledge"),
        ("example.resolved.gate", "trigger"),
        ("v1", "trigger"),
    ],
)
def test_the_last_word_of_a_type_says_what_happened(kind: str, action: str) -> None:
    assert signal(type=kind).action == action


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ({"severitytext": "FATAL"}, "critical"),
        ({"severitytext": "Error"}, "error"),
        ({"severitytext": "odd"}, None),
        ({"severitytext": ...}, None),
        ({"severitynumber": 9}, "info"),
        ({"severitynumber": "13"}, "warning"),
        ({"severitynumber": 17, "severitytext": "INFO"}, "error"),
        ({"severitynumber": 24}, "critical"),
        ({"severitynumber": 25}, "warning"),
        ({"severitynumber": "²"}, "warning"),
        ({"severitynumber": []}, "warning"),
    ],
)
def test_the_severity_extension_counts_its_number_first(
    said: dict[str, object], severity: object
) -> None:
    assert signal(**said).severity == severity


def test_extensions_are_labels_and_data_is_for_people() -> None:
    heard = signal()

    assert heard.labels == {
        "source": "/quais/north",
        "type": "example.gate.stuck",
        "subject": "gate-12",
        "severitytext": "WARN",
        "site": "quais",
    }
    assert heard.details == '{"data":{"tries":3}}'


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ({"title": "A\nB"}, "A B"),
        ({"summary": "S"}, "S"),
        ({"message": 7}, "example.gate.stuck: gate-12"),
        ("text", "example.gate.stuck: gate-12"),
        (None, "example.gate.stuck: gate-12"),
    ],
)
def test_the_title_is_what_the_data_says_first(data: object, title: str) -> None:
    assert signal(data=data).title == title


def test_our_own_event_in_it_is_read_as_one() -> None:
    native = {
        "action": "resolve",
        "title": "Gate 12 opens",
        "service": "gates",
        "severity": "info",
    }

    heard = signal(data=native)

    assert (heard.action, heard.title, heard.service) == (
        "resolve",
        "Gate 12 opens",
        "gates",
    )
    assert (heard.event_id, heard.severity) == ("/quais/north|7", "info")
    assert heard.dedup_key == signal().dedup_key
    assert heard.occurred_at == signal().occurred_at


def test_our_own_event_is_as_strict_here_as_alone() -> None:
    heard = rejected(data={"action": "trigger", "title": "T", "colour": "red"})

    assert heard.loc == ("data", "colour")


def test_our_own_event_that_is_bad_is_named_by_its_place_in_the_batch() -> None:
    _, bad = read([EVENT, {**EVENT, "data": {"action": "resolve", "title": " "}}])

    assert isinstance(bad, Rejected)
    assert (bad.index, bad.loc) == (1, ("data", "title"))


def test_a_strangers_event_with_an_action_of_its_own_is_a_strangers() -> None:
    heard = signal(data={"action": "opened", "title": "Pull request 7"})

    assert (heard.action, heard.title) == ("trigger", "Pull request 7")


@pytest.mark.parametrize(
    ("said", "loc"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": "10"}, "specversion"),
        ({"specversion": ...}, "specversion"),
        ({"id": 7}, "id"),
        ({"id": " "}, "id"),
        ({"source": ...}, "source"),
        ({"type": None}, "type"),
        ({"id": "a\x00"}, "event_id"),
        ({"subject": "a\x00"}, "dedup_key"),
        ({"data": ..., "data_base64": ["eA=="]}, "data_base64"),
        ({"data_base64": "eA=="}, "data_base64"),
        ({"time": "2025-07-09T00:00:00Z"}, "occurred_at"),
    ],
)
def test_what_is_no_cloudevent_is_rejected_with_its_place(
    said: dict[str, object], loc: str
) -> None:
    assert rejected(**said).loc == (loc,)


def test_a_version_we_do_not_know_hears_what_to_send() -> None:
    assert "send CloudEvents 1.0" in rejected(specversion="0.3").reason
    assert signal(specversion="1.1").title


@pytest.mark.parametrize(
    ("data", "kind", "details"),
    [
        (b'{"a": 1}', "application/json", '{"data":{"a":1}}'),
        (b'{"a": 1', "application/json", '{"data":"{\\"a\\": 1"}'),
        (DEEP, "application/json", f'{{"data":"{DEEP.decode()}"}}'),
        ("é".encode(), "text/plain", '{"data":"é"}'),
        (b"\xff\xfe", "image/png", '{"data":"2 bytes of image/png"}'),
        (b"", "image/png", None),
    ],
)
def test_bytes_are_shown_as_far_as_they_can_be(
    data: bytes, kind: str, details: str | None
) -> None:
    coded = base64.b64encode(data).decode()
    heard = signal(data=..., data_base64=coded, datacontenttype=kind)

    assert heard.details == details


def test_an_event_is_worth_more_than_its_data() -> None:
    """In the specification's own example of a batch stands what is no base64."""
    heard = signal(data=..., data_base64="... base64 ...")

    assert (heard.action, heard.dedup_key) == (signal().action, signal().dedup_key)
    assert heard.details == '{"data":{"data_base64":"... base64 ..."}}'


def test_one_bad_event_does_not_fail_its_batch() -> None:
    broken = {**EVENT, "specversion": "0.3"}

    first, second, third = read([EVENT, broken, {**EVENT, "id": "8"}])

    assert isinstance(first, Signal)
    assert isinstance(second, Rejected)
    assert second.index == 1
    assert isinstance(third, Signal)


def test_an_empty_batch_is_none_and_a_crowd_is_refused_as_a_whole() -> None:
    assert read([]) == []
    (heard,) = read([EVENT] * (BATCH_MAX + 1))
    assert isinstance(heard, Rejected)


@pytest.mark.parametrize("document", [None, 7, "text", {}, [7], [[]]])
def test_what_is_no_event_is_rejected(document: object) -> None:
    (heard,) = read(document)

    assert isinstance(heard, Rejected)
