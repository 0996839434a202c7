"""A recovery names the trouble of its problem, whatever else it leaves out."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from tests.support.builders.format_bodies import GOOD

NOW = datetime(2025, 6, 30, 7, tzinfo=UTC)
Fields = dict[str, Any]


def around(name: str, **more: object) -> Callable[[Fields], Fields]:
    return lambda inside: {name: inside, **more}


def azure(inside: Fields) -> Fields:
    good = GOOD["azure_monitor"]
    return {**good, "data": {**good["data"], "essentials": inside}}


def sentry(inside: Fields) -> Fields:
    return {"action": "resolved", "data": {"issue": inside}}


def rackspace(inside: Fields) -> Fields:
    return {**GOOD["rackspace"], "details": inside}


def as_it_is(inside: Fields) -> Fields:
    return inside


RECOVERIES: dict[str, tuple[Fields, set[str], Callable[[Fields], Fields]]] = {
    "azure_monitor": (
        {
            **GOOD["azure_monitor"]["data"]["essentials"],
            "alertId": "/SUBSCRIPTIONS/9f7c/alerts/0b1c",
            "monitorCondition": "Resolved",
        },
        {"alertId", "monitorCondition"},
        azure,
    ),
    "cloudwatch": (
        {**GOOD["cloudwatch"], "NewStateValue": "OK"},
        {"AlarmName", "AlarmArn", "NewStateValue"},
        as_it_is,
    ),
    "datadog": (
        {**GOOD["datadog"], "title": "[Recovered on {env:prod, host:web-3}] Disk"},
        {"title", "body"},
        as_it_is,
    ),
    "gcp_monitoring": (
        {**GOOD["gcp_monitoring"]["incident"], "state": "CLOSED"},
        {"incident_id", "state"},
        around("incident"),
    ),
    "newrelic": (
        {**GOOD["newrelic"], "state": "CLOSED"},
        {"id", "state"},
        as_it_is,
    ),
    "rackspace": (
        {**GOOD["rackspace"]["details"], "state": "OK"},
        {"state"},
        rackspace,
    ),
    "sentry": (GOOD["sentry"]["data"]["issue"], {"id"}, sentry),
    "vrealize": (
        {**GOOD["vrealize"], "status": "CANCELED"},
        {"alertId", "status"},
        as_it_is,
    ),
}
"""A recovery of each good body, the fields it cannot do without, and what is around."""


@pytest.mark.parametrize("kind", sorted(RECOVERIES))
@given(data=st.data())
def test_a_recovery_that_says_less_is_of_the_same_trouble(
    kind: str, data: st.DataObject
) -> None:
    said, needed, whole = RECOVERIES[kind]
    optional = sorted(set(said) - needed)
    dropped = data.draw(st.sets(st.sampled_from(optional)))
    least = {name: value for name, value in said.items() if name not in dropped}

    (problem,) = ADAPTERS[kind](GOOD[kind], InboundDocument("monitor", NOW))
    (recovery,) = ADAPTERS[kind](whole(least), InboundDocument("monitor", NOW))

    assert isinstance(problem, Signal)
    assert isinstance(recovery, Signal)
    assert (problem.action, recovery.action) == ("trigger", "resolve")
    assert recovery.dedup_key == problem.dedup_key
