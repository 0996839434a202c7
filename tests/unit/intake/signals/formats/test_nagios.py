"""Notification scripts of Nagios, Icinga 2 and Checkmk. The bodies are our own."""

from typing import Any

import pytest

from services.intake.signals.formats import ADAPTERS
from tests.unit.intake.signals.formats.elements.adapter_result import (
    PARIS,
    ignored,
    rejected,
    signal,
    without,
)

SERVICE: dict[str, Any] = {
    "notification_type": "PROBLEM",
    "hostname": "web-3",
    "service_description": "HTTP",
    "state": "CRITICAL",
    "plugin_output": "no answer on port 443",
    "host_address": "10.0.0.3",
}
HOST: dict[str, Any] = {
    "notification_type": "PROBLEM",
    "hostname": "web-3",
    "state": "DOWN",
    "plugin_output": "100 % packet loss",
}


def test_a_service_fires_and_recovers() -> None:
    fires = signal("nagios", SERVICE)
    recovers = signal(
        "nagios", {**SERVICE, "notification_type": "RECOVERY", "state": "OK"}
    )

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "service/web-3/HTTP"
    assert fires.title == "web-3/HTTP: no answer on port 443"
    assert (fires.severity, recovers.severity) == ("critical", None)
    assert fires.labels == {
        "host": "web-3",
        "check": "HTTP",
        "state": "critical",
        "address": "10.0.0.3",
    }
    assert fires.occurred_at is None


def test_a_host_is_another_trouble_than_its_services() -> None:
    host = signal("nagios", {**HOST, "service_description": "$SERVICEDESC$"})

    assert (host.dedup_key, host.severity) == ("host/web-3", "critical")
    assert host.title == "web-3: 100 % packet loss"


def test_one_command_may_send_the_macros_of_host_and_service() -> None:
    both = {
        "notification_type": "PROBLEM",
        "hostname": "web-3",
        "hoststate": "DOWN",
        "hostoutput": "100 % packet loss",
        "servicestate": "OK",
        "serviceoutput": "fine",
    }
    host = signal("nagios", {**both, "servicedesc": ""})
    service = signal("nagios", {**both, "servicedesc": "HTTP"})

    assert (host.title, host.severity) == ("web-3: 100 % packet loss", "critical")
    assert (service.title, service.severity) == ("web-3/HTTP: fine", None)


def test_names_with_slashes_do_not_meet() -> None:
    one = signal("nagios", {**SERVICE, "service_description": "a/b"})
    other = signal(
        "nagios", {**SERVICE, "hostname": "web-3/a", "service_description": "b"}
    )

    assert one.dedup_key != other.dedup_key


CHECKMK = {
    "NOTIFY_WHAT": "SERVICE",
    "NOTIFY_NOTIFICATIONTYPE": "PROBLEM",
    "NOTIFY_HOSTNAME": "web-3",
    "NOTIFY_HOSTSTATE": "UP",
    "NOTIFY_SERVICEDESC": "HTTP",
    "NOTIFY_SERVICESTATE": "WARNING",
    "NOTIFY_SERVICEOUTPUT": "slow",
    "NOTIFY_SHORTDATETIME": "2025-06-30 08:52:01",
    "NOTIFY_HOSTLABEL_service": "billetterie",
}
ICINGA = {
    "notification.type": "PROBLEM",
    "host.name": "web-3",
    "host.state": "UP",
    "service.name": "HTTP",
    "service.state": "WARNING",
    "service.output": "slow",
    "icinga.timet": "1751266321",
}
NAGIOS = {
    "NOTIFICATIONTYPE": "PROBLEM",
    "HOSTNAME": "web-3",
    "HOSTSTATE": "UP",
    "SERVICEDESC": "HTTP",
    "SERVICESTATE": "WARNING",
    "SERVICEOUTPUT": "slow",
    "TIMET": "1751266321",
}


@pytest.mark.parametrize(
    ("kind", "said"), [("checkmk", CHECKMK), ("icinga", ICINGA), ("nagios", NAGIOS)]
)
def test_each_names_its_fields_as_it_names_its_macros(
    kind: str, said: dict[str, str]
) -> None:
    one = signal(kind, said, PARIS)

    assert (one.action, one.severity, one.title) == (
        "trigger",
        "warning",
        "web-3/HTTP: slow",
    )
    assert one.dedup_key == "service/web-3/HTTP"
    assert str(one.occurred_at) == "2025-06-30 06:52:01+00:00"


def test_checkmk_sends_microseconds_and_labels_too() -> None:
    said = {
        **without(CHECKMK, "NOTIFY_SHORTDATETIME"),
        "NOTIFY_MICROTIME": "1751266321000000",
    }
    one = signal("checkmk", said)

    assert str(one.occurred_at) == "2025-06-30 06:52:01+00:00"
    assert one.labels["service"] == "billetterie"


def test_a_date_that_could_be_read_in_two_ways_is_not_read() -> None:
    assert (
        signal(
            "nagios", {**SERVICE, "shortdatetime": "06-07-2025 08:52:01"}
        ).occurred_at
        is None
    )


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        ("CRITICAL", "critical"),
        ("CRIT", "critical"),
        ("WARNING", "warning"),
        ("WARN", "warning"),
        ("UNKNOWN", "error"),
        ("UNREACHABLE", "error"),
        ("ODD", None),
    ],
)
def test_the_state_is_the_severity(state: str, severity: str | None) -> None:
    assert signal("nagios", {**SERVICE, "state": state}).severity == severity


def test_an_acknowledgement_is_one() -> None:
    said = {**SERVICE, "notification_type": "ACKNOWLEDGEMENT"}

    assert signal("nagios", said).action == "acknowledge"
    assert signal("nagios", said).dedup_key == signal("nagios", SERVICE).dedup_key


@pytest.mark.parametrize(
    ("state", "severity"), [("OK", "warning"), ("CRITICAL", "critical")]
)
def test_what_starts_to_flap_fires_since_nothing_more_is_said(
    state: str, severity: str
) -> None:
    one = signal(
        "nagios", {**SERVICE, "notification_type": "FLAPPINGSTART", "state": state}
    )

    assert (one.action, one.severity) == ("trigger", severity)


@pytest.mark.parametrize(
    "kind", ["FLAPPINGSTOP", "FlappingEnd", "FLAPPINGDISABLED", ""]
)
@pytest.mark.parametrize(
    ("state", "action"), [("OK", "resolve"), ("CRITICAL", "trigger")]
)
def test_what_stops_flapping_is_as_its_state_says(
    kind: str, state: str, action: str
) -> None:
    said = {**SERVICE, "notification_type": kind, "state": state}

    assert signal("nagios", said).action == action


@pytest.mark.parametrize(
    "kind",
    [
        "DOWNTIMESTART",
        "DOWNTIMEEND",
        "DOWNTIMECANCELLED",
        "DowntimeRemoved",
        "CUSTOM",
        "ALERTHANDLER (OK)",
    ],
)
def test_downtimes_and_custom_ones_tell_of_no_trouble(kind: str) -> None:
    assert (
        ignored("nagios", {**SERVICE, "notification_type": kind}).title == "web-3/HTTP"
    )


@pytest.mark.parametrize(
    ("document", "reason", "loc"),
    [
        (without(SERVICE, "hostname"), "`hostname` is missing", ("hostname",)),
        (
            {**SERVICE, "notification_type": "ODD"},
            "is PROBLEM,",
            ("notification_type",),
        ),
        (
            without(SERVICE, "notification_type", "state"),
            "is PROBLEM,",
            ("notification_type",),
        ),
        ([], "not a notification", ()),
    ],
)
def test_what_cannot_be_told_says_why(
    document: object, reason: str, loc: tuple[str, ...]
) -> None:
    one = rejected("nagios", document)

    assert reason in one.reason
    assert one.loc == loc


def test_three_systems_have_one_adapter() -> None:
    assert ADAPTERS["icinga"] is ADAPTERS["checkmk"] is ADAPTERS["nagios"]
