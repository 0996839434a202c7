"""Graylog, Rackspace, vRealize and Wazuh, whose formats are mappings. Our own bodies.

Their fields are those of Graylog's documentation of alerts, of the webhook test of
LinkedIn's iris (Rackspace), of VMware's page of the REST plug-in and its webhook demo
(vRealize), and of `integrations/shuffle.py` of Wazuh.
"""

from copy import deepcopy
from typing import Any

import pytest

from services.intake.signals.formats import NEVER_RECOVERS, ready
from shared import yaml12
from shared.domain.policy.cross_checks import unmappable
from tests.support.builders.format_bodies import GOOD
from tests.unit.intake.signals.formats.elements.adapter_result import (
    heard,
    ignored,
    rejected,
    signal,
    without,
)

FIRES = [
    (
        "graylog",
        "Many refused log-ins: count()=14.0",
        "error",
        "64b0c1f2/web-3",
        "01H5E7",
        {"host": "web-3", "key": "web-3", "severity": "3"},
    ),
    (
        "rackspace",
        "Shop is down on Ticket shop",
        "critical",
        "enTill/alHttp",
        "6da55310-4200-11e1",
        {"host": "Ticket shop", "target": "shop.example", "severity": "CRITICAL"},
    ),
    (
        "vrealize",
        "Datastore is running out of space on datastore-7",
        "error",
        "fdd72406-9451",
        "fdd72406-9451/ACTIVE/1751266321000",
        {"host": "datastore-7", "kind": "Datastore", "adapter": "VMWARE"},
    ),
    (
        "vrealize_logs",
        "Switch lost a link",
        None,
        "Switch lost a link",
        None,
        {"host": "switch-2"},
    ),
    (
        "wazuh",
        "sshd: brute force trying to get access on web-3",
        "warning",
        "5712/003",
        "wazuh-1/1751266321.4711",
        {"host": "web-3", "groups": '["syslog","sshd"]', "severity": "10"},
    ),
]


def changed(kind: str, *path: str, to: object) -> dict[str, Any]:
    """Return the good body of a format with one of its fields changed."""
    body = deepcopy(GOOD[kind])
    inside = body
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = to
    return body


@pytest.mark.parametrize(
    ("kind", "title", "severity", "key", "event_id", "labels"), FIRES
)
def test_what_fires_is_read(  # each is a part of the signal
    kind: str,
    title: str,
    severity: str | None,
    key: str,
    event_id: str | None,
    labels: dict[str, str],
) -> None:
    fires = signal(kind, GOOD[kind])

    assert (fires.action, fires.title) == ("trigger", title)
    assert (fires.severity, fires.dedup_key) == (severity, key)
    assert event_id is None or fires.event_id == event_id
    assert fires.labels.items() >= labels.items()
    assert str(fires.occurred_at).startswith("2025-06-30 06:52:01")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("rackspace", changed("rackspace", "details", "state", to="OK")),
        ("vrealize", changed("vrealize", "status", to="CANCELED")),
        ("vrealize", changed("vrealize", "status", to="INACTIVE")),
    ],
)
def test_what_is_over_is_of_the_same_trouble(kind: str, body: dict[str, Any]) -> None:
    recovers = signal(kind, body)

    assert recovers.action == "resolve"
    assert recovers.dedup_key == signal(kind, GOOD[kind]).dedup_key


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "graylog",
            changed(
                "graylog", "event", "event_definition_type", to="notification-test-v1"
            ),
        ),
        ("rackspace", changed("rackspace", "event_id", to="test_check")),
    ],
)
def test_a_test_opens_nothing(kind: str, body: dict[str, Any]) -> None:
    ignored(kind, body)


def test_graylog_tells_groups_of_one_definition_apart_without_a_key() -> None:
    unkeyed = changed("graylog", "event", "key", to=None)
    other = deepcopy(unkeyed)
    other["event"]["group_by_fields"] = {"source": "web-4"}

    keys = {signal("graylog", body).dedup_key for body in (unkeyed, other)}

    assert len(keys) == 2


def test_wazuh_is_read_as_shuffle_wraps_it() -> None:
    alert = GOOD["wazuh"]
    wrapped = {
        "severity": 3,
        "pretext": "WAZUH Alert",
        "title": alert["rule"]["description"],
        "text": alert["full_log"],
        "rule_id": alert["rule"]["id"],
        "timestamp": alert["timestamp"],
        "id": alert["id"],
        "all_fields": alert,
    }

    assert signal("wazuh", wrapped) == signal("wazuh", alert)


@pytest.mark.parametrize(
    ("kind", "body", "part"),
    [
        ("graylog", without(GOOD["graylog"], "event_definition_id"), "dedup_key"),
        ("rackspace", without(GOOD["rackspace"], "alarm"), "dedup_key"),
        ("vrealize", without(GOOD["vrealize"], "alertId"), "dedup_key"),
        ("vrealize", changed("vrealize", "status", to="NEWISH"), "action"),
        ("vrealize_logs", {"NumHits": 1}, "dedup_key"),
        ("wazuh", without(GOOD["wazuh"], "rule"), "dedup_key"),
    ],
)
def test_what_does_not_name_a_trouble_says_which_part_is_missing(
    kind: str, body: dict[str, Any], part: str
) -> None:
    assert rejected(kind, body).loc == (part,)


def test_several_at_once_are_each_read() -> None:
    assert len(heard("wazuh", {"all_fields": [GOOD["wazuh"], GOOD["wazuh"]]})) == 2


def test_what_never_tells_of_a_recovery_is_known_for_it() -> None:
    assert {"graylog", "vrealize_logs", "wazuh"} < NEVER_RECOVERS
    assert not {"rackspace", "vrealize"} & NEVER_RECOVERS


@pytest.mark.parametrize("name", sorted(ready.TEXTS))
def test_a_file_is_a_source_as_a_policy_may_have_it(name: str) -> None:
    written = yaml12.read(ready.TEXTS[name])

    assert isinstance(written, yaml12.ParsedYaml)
    assert list(unmappable({"sources": {name: written.value}})) == []
