"""Which sources may connect to NATS, and whose signals are accepted there."""

from ipaddress import ip_address
from typing import Any

import pytest

from services.intake.nats_sources.rules import (
    Sender,
    why_no_connection,
    why_not_accepted,
)
from services.intake.nats_sources.tokens import connection_of
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Monitor
from tests.support.policies import full

OUR_NETWORK = ip_address("10.1.2.3")
SIGNED: dict[str, Any] = {"signature": {"scheme": "github", "secret": "env:HMAC"}}
NEAR: dict[str, Any] = {"allow_from": ["10.0.0.0/8"]}


def rule(**clause: Any) -> Monitor:
    return Monitor(type="native", **clause)


@pytest.mark.parametrize(
    ("clause", "may"),
    [
        ({}, True),
        (SIGNED, False),
        (NEAR, False),
        (SIGNED | {"nats": True}, True),
        (NEAR | {"nats": True}, True),
        ({"allow_from": ["192.0.2.0/24"], "nats": True}, False),
    ],
)
def test_who_must_sign_or_send_from_a_network_needs_leave_to_connect(
    clause: dict[str, Any], *, may: bool
) -> None:
    assert (why_no_connection("press", rule(**clause), OUR_NETWORK) is None) is may


def test_a_source_the_policy_does_not_name_may_connect_with_its_key() -> None:
    assert why_no_connection("press", None, OUR_NETWORK) is None


def test_an_address_that_is_not_known_is_in_no_network() -> None:
    assert why_no_connection("press", rule(**NEAR, nats=True), None)


def policy(nats_monitor: str = "accepted", **clause: Any) -> Policy:
    policy = full()
    desk = policy.desk.model_copy(update={"nats_monitor": nats_monitor})
    return policy.model_copy(
        update={"desk": desk, "sources": {"press": rule(**clause)}}
    )


OWN = Sender("press", shared_user=False)
SHARED = Sender("press", shared_user=True)


@pytest.mark.parametrize(
    ("sender", "in_force", "accepted"),
    [
        (OWN, policy(), True),
        (OWN, policy(**SIGNED), False),
        (OWN, policy(**SIGNED, nats=True), True),
        (OWN, policy("refused"), True),
        (SHARED, policy(), True),
        (SHARED, policy("refused"), False),
        (SHARED, policy(**NEAR), False),
        (SHARED, policy(**NEAR, nats=True), False),
    ],
)
def test_whose_signals_are_accepted(
    sender: Sender, in_force: Policy, *, accepted: bool
) -> None:
    assert (why_not_accepted(sender, in_force, known=True) is None) is accepted


@pytest.mark.parametrize("sender", [OWN, SHARED])
def test_a_source_that_nobody_knows_is_not_accepted(sender: Sender) -> None:
    assert why_not_accepted(sender, policy(), known=False)


@pytest.mark.parametrize("request_", [b"", b"a.b", b"a.!!!.c", b"a.e30.c"])
def test_what_is_no_request_of_a_server_is_an_error(request_: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        connection_of(request_)
