"""Webhooks to a real receiver, which takes them, refuses, hangs, or sends us away."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks import Webhook

from services.escalation.notifications.channels import webhook
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from services.escalation.notifications.channels.webhook import (
    Receiver,
    forgetful_client,
    post_webhook,
    receiver,
)
from tests.support.patience import SECONDS
from tests.support.ports import reserved_port
from tests.support.servers.webhook_receiver import Postbox, open_postbox

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "INC-000042.3.page.amina"
AT = datetime(2025, 6, 30, 7, 52, tzinfo=UTC)
PAYLOAD = {"type": "page", "incident": "INC-000042", "about": "café", "a": 1}


def posted(
    postbox: Postbox | Receiver,
    *,
    key: str = KEY,
    at: datetime = AT,
    payload: Mapping[str, object] = PAYLOAD,
    seconds: float = 20,
) -> Outcome:
    async def post() -> Outcome:
        to = receiver(postbox.url, SECRET) if isinstance(postbox, Postbox) else postbox
        # A client that would follow where it is sent: we must not.
        async with httpx.AsyncClient(follow_redirects=True, timeout=SECONDS) as client:
            return await post_webhook(client, to, key, at, payload, seconds=seconds)

    return asyncio.run(post())


def test_it_arrives_under_its_key_and_the_library_of_the_specification_takes_it() -> (
    None
):
    now = datetime.now(UTC)
    with open_postbox() as postbox:
        outcome = posted(postbox, at=now)

    (request,) = postbox.requests
    assert outcome == Delivered("HTTP 204")
    assert request.path == "/hook"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == request.headers["idempotency-key"] == KEY
    assert request.headers["webhook-timestamp"] == str(int(now.timestamp()))
    assert Webhook(SECRET).verify(request.body, dict(request.headers)) == PAYLOAD


def test_what_a_receiver_would_have_us_remember_is_forgotten() -> None:
    async def twice(to: Receiver) -> None:
        async with forgetful_client() as client:
            for _ in range(2):
                await post_webhook(client, to, KEY, AT, PAYLOAD)

    with open_postbox() as postbox:
        postbox.headers = {"set-cookie": "seen=amina"}
        asyncio.run(twice(receiver(postbox.url, SECRET)))

    assert [request.headers.get("cookie") for request in postbox.requests] == [None] * 2


def test_the_same_is_written_alike_in_whatever_order_it_is_given() -> None:
    with open_postbox() as postbox:
        posted(postbox)
        posted(postbox, payload=dict(reversed(PAYLOAD.items())))

    one, other = postbox.requests
    assert one.body == other.body
    assert one.headers["webhook-signature"] == other.headers["webhook-signature"]
    assert (
        one.body
        == json.dumps(
            PAYLOAD, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_status_of_success_is_one(status: int) -> None:
    with open_postbox() as postbox:
        postbox.status = status
        assert posted(postbox) == Delivered(f"HTTP {status}")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_go_better_later_is_tried_again(status: int) -> None:
    with open_postbox() as postbox:
        postbox.status = status
        outcome = posted(postbox)

    assert outcome == Failed(f"the receiver answered HTTP {status}", permanent=False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422])
def test_what_would_be_refused_again_is_not_tried_again(status: int) -> None:
    with open_postbox() as postbox:
        postbox.status = status
        postbox.headers = {"retry-after": "9"}
        outcome = posted(postbox)

    assert outcome == Failed(f"the receiver answered HTTP {status}", permanent=True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_receiver_that_moved_is_not_run_after(status: int) -> None:
    with open_postbox() as elsewhere, open_postbox() as postbox:
        postbox.status = status
        postbox.headers = {"location": elsewhere.url}
        outcome = posted(postbox)

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 30 Jun 2025 08:02:00 GMT", timedelta(minutes=10)),
        ("Mon, 30 Jun 2025 07:00:00 GMT", timedelta()),
        ("soon", None),
        ("-5", None),
        ("9" * 30, None),
    ],
)
def test_how_long_to_wait_is_told_as_the_receiver_asks(
    written: str, read: timedelta | None
) -> None:
    with open_postbox() as postbox:
        postbox.status = 503
        postbox.headers = {"retry-after": written}
        outcome = posted(postbox)

    assert isinstance(outcome, Failed)
    assert outcome.retry_after == read


def test_what_the_receiver_answers_is_neither_read_nor_kept() -> None:
    with open_postbox() as postbox:
        postbox.status = 500
        postbox.body = b"lefevre@valmont.example " * 100_000
        outcome = posted(postbox)

    assert outcome == Failed("the receiver answered HTTP 500", permanent=False)


def test_an_answer_without_end_is_not_waited_for() -> None:
    with open_postbox() as postbox:
        postbox.status = 200
        postbox.endless = True
        outcome = posted(postbox)

    assert outcome == Delivered("HTTP 200")


@pytest.mark.parametrize("body", [b"", b"taken"])
def test_messages_that_follow_each_other_share_a_connection(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "ANSWER_SECONDS_MAX", SECONDS)

    async def thrice(to: Receiver) -> list[Outcome]:
        async with forgetful_client() as client:
            return [await post_webhook(client, to, KEY, AT, PAYLOAD) for _ in range(3)]

    with open_postbox() as postbox:
        postbox.status, postbox.body = 200, body
        outcomes = asyncio.run(thrice(receiver(postbox.url, SECRET)))

    assert outcomes == [Delivered("HTTP 200")] * 3
    assert postbox.connections == 1


def test_a_receiver_that_hangs_is_left() -> None:
    with open_postbox() as postbox:
        postbox.hang = True
        outcome = posted(postbox, seconds=0.3)

    assert outcome == Failed("the receiver did not answer in time", permanent=False)


def test_a_receiver_that_hangs_up_may_do_better() -> None:
    with open_postbox() as postbox:
        postbox.cut = True
        outcome = posted(postbox)

    assert isinstance(outcome, Failed)
    assert not outcome.permanent


def test_a_receiver_that_is_not_there_may_come_back() -> None:
    outcome = posted(
        receiver(f"http://127.0.0.1:{reserved_port()}/token-of-ours", SECRET)
    )

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert "token" not in outcome.reason


@pytest.mark.parametrize("key", ["", "a\r\nx-evil: 1", "clé", "k" * 257])
def test_a_key_that_fits_no_header_is_a_mistake_of_ours(key: str) -> None:
    with open_postbox() as postbox, pytest.raises(ValueError, match="write a key"):
        posted(postbox, key=key)


@pytest.mark.parametrize(
    "url", ["", "ftp://a.example", "https://", "http://a.example:b"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https://host/path"):
        receiver(url, SECRET)


def test_neither_address_nor_key_shows() -> None:
    shown = repr(receiver("https://hooks.example/token", "plain secret"))

    assert "token" not in shown
    assert "plain" not in shown
