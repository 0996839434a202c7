"""Zabbix' media type "Webhook". The bodies are our own."""

from typing import Any

import pytest

from tests.unit.intake.signals.formats.elements.adapter_result import (
    PARIS,
    ignored,
    rejected,
    signal,
    without,
)

PROBLEM: dict[str, Any] = {
    "hostname": "db-2.example",
    "triggerid": "20114",
    "eventid": "771",
    "status": "PROBLEM",
    "severity": "High",
    "trigger": "db-2.example: no free space on /var",
    "item": "Free space on /var: 0 B",
    "link": "https://zabbix.example/tr_events.php?triggerid=20114&eventid=771",
}
OK = {
    **PROBLEM,
    "eventid": "802",
    "status": "OK",
    "trigger": "db-2.example: space on /var is back",
    "link": "https://zabbix.example/tr_events.php?triggerid=20114&eventid=802",
}


def test_a_problem_and_its_recovery_are_one_trouble() -> None:
    fires, recovers = signal("zabbix", PROBLEM), signal("zabbix", OK)

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "db-2.example/trigger/20114"
    assert fires.title == "db-2.example: no free space on /var"
    assert fires.event_id != recovers.event_id
    assert fires.labels == {
        "host": "db-2.example",
        "item": "Free space on /var: 0 B",
        "severity": "High",
    }


def test_the_trigger_may_stand_in_the_link_alone() -> None:
    one = signal("zabbix", without(PROBLEM, "triggerid"))
    escaped = {"link": "https://z.example/x.php?a=1&triggerids%5B%5D=20114"}

    assert one.dedup_key == signal("zabbix", PROBLEM).dedup_key
    assert (
        signal("zabbix", {**without(PROBLEM, "triggerid"), **escaped}).dedup_key
        == one.dedup_key
    )


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("Not classified", None),
        ("Information", "info"),
        ("Warning", "warning"),
        ("Average", "warning"),
        ("High", "error"),
        ("Disaster", "critical"),
        ("Hoch", None),
        ("", None),
        (None, None),
    ],
)
def test_its_six_severities_are_ours(word: str | None, severity: str | None) -> None:
    assert signal("zabbix", {**PROBLEM, "severity": word}).severity == severity


@pytest.mark.parametrize(
    ("number", "severity"), [(0, None), ("4", "error"), (5, "critical")]
)
def test_they_may_come_as_numbers(number: object, severity: str | None) -> None:
    said = {**without(PROBLEM, "severity"), "event_nseverity": number}

    assert signal("zabbix", said).severity == severity


def test_a_raised_severity_is_another_message_of_the_same_event() -> None:
    raised = signal("zabbix", {**PROBLEM, "severity": "Disaster"})

    assert raised.dedup_key == signal("zabbix", PROBLEM).dedup_key
    assert raised.event_id != signal("zabbix", PROBLEM).event_id
    assert signal("zabbix", PROBLEM).event_id == "771/trigger/High"


def test_without_an_event_id_there_is_none() -> None:
    assert signal("zabbix", without(PROBLEM, "eventid")).event_id is None


def test_zabbix_own_media_types_name_their_fields_otherwise() -> None:
    said = {
        "host_name": "db-2.example",
        "trigger_id": 20114,
        "event_id": 771,
        "event_value": "1",
        "event_nseverity": "5",
        "event_name": "No free space",
        "event_date": "2025.06.30",
        "event_time": "08:52:01",
        "event_tags": '[{"tag":"service","value":"billetterie"},{"tag":"scope"},7]',
        "event_update_status": "0",
    }
    one = signal("zabbix", said, PARIS)

    assert (one.action, one.severity, one.title) == (
        "trigger",
        "critical",
        "No free space",
    )
    assert one.dedup_key == signal("zabbix", PROBLEM).dedup_key
    assert str(one.occurred_at) == "2025-06-30 06:52:01+00:00"
    assert (one.labels["service"], one.labels["scope"]) == ("billetterie", "")


def test_a_recovery_has_an_instant_of_its_own() -> None:
    times = {
        "event_date": "2025.06.30",
        "event_time": "06:00:00",
        "event_recovery_date": "2025.06.30",
        "event_recovery_time": "06:30:00",
    }

    assert str(signal("zabbix", {**OK, **times}).occurred_at)[11:16] == "06:30"
    assert str(signal("zabbix", {**PROBLEM, **times}).occurred_at)[11:16] == "06:00"


def test_macros_nobody_filled_in_are_absent() -> None:
    said = {
        **PROBLEM,
        "item": "*UNKNOWN*",
        "event_recovery_time": "{EVENT.RECOVERY.TIME}",
        "event_recovery_date": "{EVENT.RECOVERY.DATE}",
    }
    one = signal("zabbix", said)

    assert "item" not in one.labels
    assert "UNKNOWN" not in str(one.details)
    assert one.occurred_at is None


@pytest.mark.parametrize(
    ("update", "action"),
    [
        ("acknowledged", "acknowledge"),
        ("commented, acknowledged", "acknowledge"),
        ("changed severity from High to Disaster", "trigger"),
    ],
)
def test_an_update_may_acknowledge_or_rank(update: str, action: str) -> None:
    said = {"event_update_status": "1", "event_update_action": update}

    assert signal("zabbix", {**PROBLEM, **said}).action == action


@pytest.mark.parametrize("update", ["commented", "unacknowledged", "", None])
def test_another_update_tells_of_no_trouble(update: str | None) -> None:
    said = {"status": "UPDATE", "event_update_action": update}

    assert ignored("zabbix", {**PROBLEM, **said}).title == PROBLEM["trigger"]


@pytest.mark.parametrize("word", ["Acknowledge", "ACKNOWLEDGED"])
def test_an_acknowledgement_may_be_a_status(word: str) -> None:
    assert signal("zabbix", {**PROBLEM, "status": word}).action == "acknowledge"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (without(PROBLEM, "hostname"), "hostname"),
        ({**PROBLEM, "hostname": "{HOST.NAME}"}, "hostname"),
        (without(PROBLEM, "triggerid", "link"), "triggerid"),
        (without(PROBLEM, "status"), "status"),
        ({**PROBLEM, "status": "MAYBE"}, "status"),
    ],
)
def test_a_field_that_must_be_there_is_named(document: object, field: str) -> None:
    one = rejected("zabbix", document)

    assert one.reason.startswith(f"`{field}` is missing: set it to {{")
    assert one.loc == (field,)


@pytest.mark.parametrize("document", [None, [], "text", 7])
def test_what_is_no_object_is_no_message(document: object) -> None:
    assert "not a Zabbix message" in rejected("zabbix", document).reason
