"""One variable names a server or a cluster, and whoever connects."""

import pytest

from shared.messaging.address import NatsAddress, nats_address


def test_one_server() -> None:
    address = nats_address("nats://intake:secret@nats:4222")

    assert address == NatsAddress(["nats://nats:4222"], "intake", "secret")
    assert address.inbox_prefix == "_INBOX_intake"
    assert address.endpoints == [("nats", 4222)]


@pytest.mark.parametrize(
    "url",
    [
        "nats://u:p@a:1,nats://u:p@b:2,nats://u:p@c",
        "nats://u:p@a:1, nats://b:2, nats://c",
    ],
)
def test_the_servers_of_a_cluster_share_a_password(url: str) -> None:
    address = nats_address(url)

    assert address.servers == ["nats://a:1", "nats://b:2", "nats://c"]
    assert address.options == {
        "user": "u",
        "password": "p",
        "inbox_prefix": "_INBOX_u",
    }
    assert address.endpoints == [("a", 1), ("b", 2), ("c", 4222)]


def test_a_name_alone_is_a_token() -> None:
    assert nats_address("tls://t0ken@a").options == {"token": "t0ken"}


def test_nobody_need_say_who_they_are() -> None:
    assert nats_address("nats://a").options == {}


def test_no_password_is_shown() -> None:
    assert "secret" not in repr(nats_address("nats://intake:secret@a"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:4222",
        "http://a",
        "nats://",
        "nats://a:0",
        "nats://a:many",
        "nats://a,",
        "nats://a b",
        "nats://u:p@a,nats://v:p@b",
        "nats://u:p@a,nats://u:q@b",
    ],
)
def test_what_cannot_be_meant(url: str) -> None:
    with pytest.raises(ValueError, match=r"write nats://|same name"):
        nats_address(url)
