"""Web push: only the browser can read it, and the push service knows who sends it."""

import asyncio
import base64
import json
import os
from dataclasses import dataclass, field

import http_ece
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from services.escalation.notifications.channels.http_call import INNER
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from services.escalation.notifications.channels.web_push import (
    GONE,
    NO_SUBSCRIPTION,
    WebPush,
    private_key,
    web_push_channel,
)
from tests.support.builders.on_call.parcels import (
    ACCEPT,
    AT,
    INCIDENT,
    KEY,
    PAGE,
    sent,
    to_contact,
)
from tests.support.servers.webhook_receiver import Postbox, open_postbox

OURS = "wFqv3pYqQ4jW5m7v7m0cW1y0c5z9Vv3mJr2oQm6d1nE"
CONTACT = "mailto:desk@example.org"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class Browser:
    """A browser that is subscribed at an endpoint."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def point(self) -> bytes:
        """Its public key."""
        return self.key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )

    @property
    def subscription(self) -> str:
        """What it gives to the desk."""
        keys = {"p256dh": encoded(self.point), "auth": encoded(self.secret)}
        return json.dumps({"endpoint": self.endpoint, "keys": keys})


def pushed(to: str) -> Outcome:
    async def push() -> Outcome:
        async with httpx.AsyncClient() as client:
            outlets = Outlets.of((WebPush(client, private_key(OURS), CONTACT),))
            return await outlets.send(to_contact("web_push", to), AT)

    return asyncio.run(push())


def page_of(postbox: Postbox) -> Browser:
    return Browser(f"{postbox.origin}/push/xyz")


def test_the_browser_reads_what_the_push_service_cannot() -> None:
    with open_postbox() as postbox:
        postbox.status = 201
        browser = page_of(postbox)
        outcome = pushed(browser.subscription)

    assert outcome == Delivered("accepted")
    (request,) = postbox.requests
    assert PAGE.incident.encode() not in request.body
    read = json.loads(
        http_ece.decrypt(
            request.body,
            private_key=browser.key,
            auth_secret=browser.secret,
            version="aes128gcm",
        )
    )
    assert read == {
        "title": INCIDENT,
        "body": PAGE.summary,
        "url": ACCEPT,
        "urgent": True,
        "tag": KEY,
    }
    assert request.headers["content-encoding"] == "aes128gcm"
    assert (request.headers["ttl"], request.headers["urgency"]) == ("3600", "high")
    assert len(request.headers["topic"]) == 32


def test_the_push_service_knows_who_sends_it() -> None:
    with open_postbox() as postbox:
        postbox.status = 201
        pushed(page_of(postbox).subscription)

    scheme, _, fields = postbox.requests[0].headers["authorization"].partition(" ")
    found = dict(each.strip().split("=", 1) for each in fields.split(","))
    point = base64.urlsafe_b64decode(found["k"] + "=" * (-len(found["k"]) % 4))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(found["t"], ECKey(key, key)).claims
    assert scheme == "vapid"
    assert claims["aud"] == postbox.origin
    assert claims["sub"] == CONTACT
    assert claims["exp"] - int(AT.timestamp()) == 12 * 3_600


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (410, Failed(GONE, permanent=True)),
        (404, Failed(GONE, permanent=True)),
        (413, Failed("the provider answered HTTP 413", permanent=True)),
        (503, Failed("the provider answered HTTP 503", permanent=False)),
    ],
)
def test_a_refusal_says_what_to_do(status: int, outcome: Outcome) -> None:
    with open_postbox() as postbox:
        postbox.status = status
        assert pushed(page_of(postbox).subscription) == outcome


@pytest.mark.parametrize(
    "to",
    [
        "",
        "null",
        "[]",
        '{"endpoint": "https://push.example"}',
        '{"endpoint": "ftp://push.example", "keys": {"p256dh": "", "auth": ""}}',
        '{"endpoint": "https://push.example", "keys": {"p256dh": "BA", "auth": "BA"}}',
        '{"endpoint": "https://push.example", "keys": {"p256dh": "é", "auth": "*"}}',
    ],
)
def test_what_is_no_subscription_is_refused(to: str) -> None:
    assert pushed(to) == Failed(NO_SUBSCRIPTION, permanent=True)


def test_an_endpoint_inside_the_network_is_not_called() -> None:
    settings = {"web_push_vapid": OURS, "web_push_contact": CONTACT}
    with open_postbox() as postbox:
        parcel = to_contact("web_push", page_of(postbox).subscription)
        outcome = sent(web_push_channel, parcel, settings)

    assert outcome == Failed(INNER, permanent=True)
    assert postbox.requests == []


def test_without_a_key_it_says_what_to_set() -> None:
    outcome = sent(web_push_channel, to_contact("web_push", "{}"), {})

    assert isinstance(outcome, Failed)
    assert "PERMANENCE_WEB_PUSH_VAPID" in outcome.reason
