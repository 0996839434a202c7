"""URLs that people give lead to the internet only; an operator may allow more."""

import asyncio
from ipaddress import ip_address, ip_network

import httpx
import pytest

from services.escalation.notifications.channels.http_call import INNER, Answer, call
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.channels.webhook import forgetful_client
from shared.http.networks import LOOPBACK, Networks
from shared.http.outbound import GuardedTransport, InnerAddress, is_outside
from tests.support.servers.webhook_receiver import Postbox, open_postbox


def called(to: str, allowed: Networks = ()) -> Answer | Failed:
    async def post() -> Answer | Failed:
        async with forgetful_client(GuardedTransport(allowed)) as guarded:
            return await call(guarded, guarded.build_request("POST", to))

    return asyncio.run(post())


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("9.9.9.9", True),
        ("2620:fe::fe", True),
        ("127.0.0.1", False),
        ("10.0.0.5", False),
        ("172.16.3.4", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 # it leads to this machine
        ("224.0.0.251", False),
        ("::1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.5", False),
        ("64:ff9b::a00:5", False),
        ("64:ff9b:1::a00:5", False),
        ("2002:a00:5::1", False),
        ("fec0::1", False),
    ],
)
def test_only_public_addresses_are_outside(address: str, *, outside: bool) -> None:
    assert is_outside(ip_address(address)) is outside


def test_an_operator_may_allow_a_network() -> None:
    allowed = (ip_network("10.2.0.0/16"),)

    assert is_outside(ip_address("10.2.3.4"), allowed)
    assert not is_outside(ip_address("10.3.3.4"), allowed)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"])  # noqa: S104
def test_an_inner_address_is_never_called(host: str) -> None:
    with open_postbox() as postbox:
        outcome = called(postbox.url.replace("127.0.0.1", host))

    assert outcome == Failed(INNER, permanent=True)
    assert postbox.requests == []


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", "missing.invalid"])
def test_a_host_without_an_address_cannot_be_reached(host: str) -> None:
    outcome = called(f"https://{host}/")

    assert isinstance(outcome, Failed)
    assert "cannot be reached (ConnectError)" in outcome.reason


def test_a_redirect_to_an_inner_address_is_refused_as_well() -> None:
    async def follow(postbox: Postbox) -> None:
        networks = (ip_network("127.0.0.0/8"),)
        transport = GuardedTransport(networks)
        async with httpx.AsyncClient(
            transport=transport, follow_redirects=True
        ) as client:
            await client.get(postbox.url)

    with open_postbox() as postbox:
        postbox.status = 302
        postbox.headers = {"location": "http://169.254.169.254/latest/meta-data"}
        with pytest.raises(InnerAddress):
            asyncio.run(follow(postbox))


def test_an_address_that_is_allowed_is_called_under_the_name_of_its_host() -> None:
    with open_postbox() as postbox:
        answer = called(postbox.url.replace("127.0.0.1", "localhost"), LOOPBACK)

    assert isinstance(answer, Answer)
    assert answer.is_success
    (request,) = postbox.requests
    assert request.headers["host"].startswith("localhost:")
