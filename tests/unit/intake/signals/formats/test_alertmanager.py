"""Alertmanager's webhook, versions 3 and 4. The bodies are our own."""

from typing import Any

import orjson
import pytest

from services.intake.records.signal import DETAILS_MAX, Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Rejected
from tests.unit.intake.commands.scenario import NINE

FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {
        "alertname": "GateStuck",
        "gate": "12",
        "severity": "Critical",
        "service": "quais",
    },
    "annotations": {"summary": "Gate 12 does not open", "runbook": "R-7"},
    "startsAt": "2025-06-30T06:58:01.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example:9090/graph?g0.expr=gate_stuck",
    "fingerprint": "5f3c1d0a9b8e7766",
}
RESOLVED = {**FIRING, "status": "resolved", "endsAt": "2025-06-30T09:05:00+02:00"}


def group(*alerts: object, **more: object) -> dict[str, object]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="GateStuck"}',
        "status": "firing",
        "receiver": "permanence",
        "groupLabels": {"alertname": "GateStuck"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "truncatedAlerts": 0,
        "alerts": list(alerts),
        **more,
    }


def read(document: object) -> list[Heard]:
    return ADAPTERS["alertmanager"](document, InboundDocument("prom", NINE))


def signal(alert: dict[str, Any], **more: object) -> Signal:
    (heard,) = read(group(alert, **more))
    assert isinstance(heard, Signal), heard
    return heard


def without(alert: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in alert.items() if name not in names}


def test_a_firing_alert_is_a_trouble() -> None:
    heard = signal(FIRING)

    assert (heard.action, heard.severity) == ("trigger", "critical")
    assert heard.title == "Gate 12 does not open"
    assert heard.labels == FIRING["labels"]
    assert str(heard.occurred_at) == "2025-06-30 06:58:01.123456+00:00"


def test_a_resolved_alert_is_its_recovery() -> None:
    heard = signal(RESOLVED)

    assert heard.action == "resolve"
    assert heard.dedup_key == signal(FIRING).dedup_key
    assert str(heard.occurred_at) == "2025-06-30 07:05:00+00:00"


def test_a_mixed_group_is_taken_alert_by_alert() -> None:
    heard = read(group(FIRING, RESOLVED, FIRING))

    actions = [each.action for each in heard if isinstance(each, Signal)]
    assert actions == ["trigger", "resolve", "trigger"]


def test_the_fingerprint_names_the_trouble_even_if_labels_are_the_same() -> None:
    other = {**FIRING, "fingerprint": "0000000000000001"}

    assert signal(FIRING).dedup_key == "5f3c1d0a9b8e7766"
    assert signal(other).dedup_key == "0000000000000001"


def test_without_a_fingerprint_the_labels_name_it_in_any_order() -> None:
    plain = without(FIRING, "fingerprint")
    turned = {**plain, "labels": dict(reversed(FIRING["labels"].items()))}
    another = {**plain, "labels": {**FIRING["labels"], "gate": "13"}}

    assert signal(plain).dedup_key == signal(turned).dedup_key
    assert signal(plain).dedup_key != signal(another).dedup_key
    assert signal(plain).dedup_key.startswith("labels:")


def test_version_3_names_its_group_by_a_number_no_double_can_hold() -> None:
    body = group(without(FIRING, "fingerprint"), version="3")
    body["groupKey"] = 5615590933959184469
    text = orjson.dumps(body)

    (heard,) = read(orjson.loads(text))

    assert isinstance(heard, Signal)
    assert '"groupKey":"5615590933959184469"' in str(heard.details)


def test_an_end_in_the_year_1_is_no_end() -> None:
    assert signal({**RESOLVED, "endsAt": "0001-01-01T00:00:00Z"}).occurred_at is None
    assert signal({**FIRING, "startsAt": "0001-01-01T00:00:00Z"}).occurred_at is None


@pytest.mark.parametrize("said", ["noon", "1970-01-01T00:00:00Z", None, 7, {}])
def test_an_alert_is_worth_more_than_its_date(said: object) -> None:
    heard = signal({**FIRING, "startsAt": said})

    assert (heard.action, heard.occurred_at) == ("trigger", None)


def test_other_systems_words_are_severities_too() -> None:
    heard = signal({**FIRING, "labels": {**FIRING["labels"], "severity": "major"}})

    assert (heard.severity, heard.labels["severity"]) == ("error", "major")


def test_how_many_alerts_were_left_out_is_told() -> None:
    assert '"truncatedAlerts":3' in str(signal(FIRING, truncatedAlerts=3).details)


@pytest.mark.parametrize("said", [None, "", {}, ["5f3c1d0a9b8e7766"]])
def test_what_is_no_fingerprint_names_nothing(said: object) -> None:
    assert signal({**FIRING, "fingerprint": said}).dedup_key.startswith("labels:")


def test_a_fingerprint_too_long_for_a_key_is_told_by_its_digest() -> None:
    one, other = "f" * 600, "f" * 599 + "e"

    assert signal({**FIRING, "fingerprint": one}).dedup_key.startswith("sha256:")
    assert (
        signal({**FIRING, "fingerprint": one}).dedup_key
        != signal({**FIRING, "fingerprint": other}).dedup_key
    )


def test_an_unknown_severity_is_none_and_stays_a_label() -> None:
    heard = signal({**FIRING, "labels": {**FIRING["labels"], "severity": "page"}})

    assert (heard.severity, heard.labels["severity"]) == (None, "page")


def test_no_severity_is_none() -> None:
    assert signal({**FIRING, "labels": {"alertname": "X"}}).severity is None


@pytest.mark.parametrize(
    ("annotations", "title"),
    [
        ({"summary": "S", "description": "D"}, "S"),
        ({"summary": " \n", "description": "D\nE"}, "D E"),
        ({}, "GateStuck"),
        (None, "GateStuck"),
        ({"summary": 7}, "7"),
        ({"summary": ["S"]}, "GateStuck"),
        ({"summary": "{{ $labels.summary }}"}, "GateStuck"),
        ({"summary": "a\x00\x1b[31mb"}, "a [31mb"),
        ({"summary": "a\ud800"}, "a\ufffd"),
    ],
)
def test_the_title_is_the_first_that_says_something(
    annotations: object, title: str
) -> None:
    assert signal({**FIRING, "annotations": annotations}).title == title


def test_an_alert_without_any_name_still_opens() -> None:
    nameless = {**FIRING, "labels": {}, "annotations": {}}

    assert signal(nameless).title == "an alert without a name"


def test_fields_we_do_not_know_are_allowed() -> None:
    heard = signal({**FIRING, "new": 1}, notification_reason="repeat", future={})

    assert heard.title == "Gate 12 does not open"


def test_details_hold_what_else_was_said() -> None:
    details = orjson.loads(str(signal(FIRING).details))

    assert details == {
        "annotations": FIRING["annotations"],
        "generatorURL": FIRING["generatorURL"],
        "externalURL": "http://alertmanager.example:9093",
        "groupKey": '{}:{alertname="GateStuck"}',
        "receiver": "permanence",
    }


def test_what_is_too_long_is_cut_not_refused() -> None:
    labels = {f"l{n:03}": "é" * 2_000 for n in range(100)} | {"service": "quais"}
    heard = signal(
        {**FIRING, "labels": labels, "annotations": {"summary": "x" * 9_000}}
    )

    assert len(heard.title) == 1_024
    assert heard.labels["service"] == "quais"
    assert all(len(value) <= 1_024 for value in heard.labels.values())
    assert sum(len(f"{k}{v}".encode()) for k, v in heard.labels.items()) <= 16_384
    assert len(str(heard.details)) <= DETAILS_MAX


def test_of_too_many_labels_the_shortest_are_kept() -> None:
    labels = {f"l{n:03}": "x" * n for n in range(100)}

    assert set(signal({**FIRING, "labels": labels}).labels) == {
        f"l{n:03}" for n in range(64)
    }


def test_a_zero_byte_in_a_label_is_replaced() -> None:
    heard = signal({**FIRING, "labels": {"a": "x\x00y"}})

    assert heard.labels == {"a": "x\ufffdy"}


@pytest.mark.parametrize(
    ("alert", "reason", "loc"),
    [
        (7, "an alert is a JSON object", ("alerts", 1)),
        (without(FIRING, "labels"), "has labels", ("alerts", 1, "labels")),
        ({**FIRING, "status": "odd"}, "`firing` or", ("alerts", 1, "status")),
        ({**FIRING, "status": ["firing"]}, "`firing` or", ("alerts", 1, "status")),
        (
            {**FIRING, "startsAt": "2026-06-30T00:00:00Z"},
            "a day ahead",
            ("occurred_at",),
        ),
    ],
)
def test_one_bad_alert_does_not_fail_its_group(
    alert: object, reason: str, loc: tuple[str | int, ...]
) -> None:
    good, bad, also_good = read(group(FIRING, alert, RESOLVED))

    assert isinstance(good, Signal)
    assert isinstance(also_good, Signal)
    assert isinstance(bad, Rejected)
    assert bad.index == 1
    assert reason in bad.reason
    assert bad.loc == loc


@pytest.mark.parametrize("document", [None, [], {}, {"alerts": {}}, "text"])
def test_what_has_no_alerts_is_no_webhook(document: object) -> None:
    (heard,) = read(document)

    assert heard == Rejected(
        0, "this is not an Alertmanager webhook: `alerts` is missing"
    )


def test_a_group_of_none_is_none() -> None:
    assert read(group()) == []
