"""Push messages to browsers: encrypted for the browser, signed by the desk (VAPID).

The address is the subscription of a browser as JSON, as `pushManager.subscribe` gives
it. The push service sees neither text nor reference. The topic is derived from the key,
so a repeat replaces a message that was not delivered yet.

https://www.rfc-editor.org/rfc/rfc8030 (push), 8291 (encryption), 8292 (VAPID)
"""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar, Self

import http_ece
import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from services.escalation.notifications.channels.channel import (
    ChannelContext,
    ChannelTraits,
    contact_of,
)
from services.escalation.notifications.channels.http_call import (
    Answer,
    deliver,
    outcome,
)
from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Failed, Outcome
from shared.channel_settings import ChannelSettings
from shared.domain.events.notification import Channel as ChannelName

MISSING = (
    "web push is not set: set PERMANENCE_WEB_PUSH_VAPID and PERMANENCE_WEB_PUSH_CONTACT"
)
NO_SUBSCRIPTION = "the address is not the subscription of a browser"
GONE = "the browser is not subscribed any more: subscribe it again"
KEPT = timedelta(hours=1)
"""How long the push service keeps a message for a browser that is offline."""
SIGNED_FOR = timedelta(hours=12)
_TOPIC_MAX = 32
_KEY_BYTES, _POINT_BYTES, _SECRET_BYTES = 32, 65, 16
_ENDPOINT_MAX = 2_000
_GONE = {404, 410}


@dataclass(frozen=True)
class Subscription:
    """Where to push, and the keys of a browser."""

    endpoint: httpx.URL
    point: bytes
    secret: bytes

    @classmethod
    def of(cls, written: str) -> Self:
        """Parse a subscription. Raises `ValueError` for another text."""
        try:
            whole = orjson.loads(written)
            endpoint = httpx.URL(whole["endpoint"][:_ENDPOINT_MAX])
            point = _decoded(whole["keys"]["p256dh"])
            secret = _decoded(whole["keys"]["auth"])
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except (KeyError, TypeError, httpx.InvalidURL) as error:
            raise ValueError(NO_SUBSCRIPTION) from error
        is_web = endpoint.scheme in ("http", "https") and endpoint.host
        if not is_web or len(secret) != _SECRET_BYTES:
            raise ValueError(NO_SUBSCRIPTION)
        return cls(endpoint, point, secret)


@dataclass(frozen=True)
class WebPush:
    """The desk's key, and the address at which push services reach its operator."""

    name: ClassVar[ChannelName] = "web_push"
    traits: ClassVar = ChannelTraits(length_max=1_000)

    client: httpx.AsyncClient
    """One that refuses inner addresses: endpoints come from browsers."""
    key: ec.EllipticCurvePrivateKey | None = field(default=None, repr=False)
    contact: str = ""

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.key else MISSING

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Push once."""
        contact = contact_of(parcel)
        if self.key is None:
            return Failed(MISSING, permanent=True)
        try:
            to = Subscription.of(contact.to)
        except ValueError:
            return Failed(NO_SUBSCRIPTION, permanent=True)
        request = self.client.build_request(
            "POST",
            to.endpoint,
            content=_encrypted(contact, to),
            headers={
                "authorization": _vapid(self.key, self.contact, to.endpoint, at),
                "content-encoding": "aes128gcm",
                "content-type": "application/octet-stream",
                "ttl": str(int(KEPT.total_seconds())),
                "urgency": "high" if contact.message.urgent else "normal",
                "topic": _topic(contact.key),
            },
        )
        return await deliver(self.client, request, at, _read)


def web_push_channel(context: ChannelContext) -> WebPush:
    """Return the channel as the settings configure it."""
    settings = context.settings
    secret, contact = settings.web_push_vapid, settings.web_push_contact
    key = private_key(secret.get_secret_value()) if secret else None
    return WebPush(context.guarded, key, contact)


def published_key(settings: ChannelSettings) -> str:
    """Return the public key of the desk; empty if web push is not set."""
    secret = settings.web_push_vapid
    return public_key(private_key(secret.get_secret_value())) if secret else ""


def _read(answer: Answer, at: datetime) -> Outcome:
    if answer.status in _GONE:
        return Failed(GONE, permanent=True)
    return outcome(answer, at)


def private_key(written: str) -> ec.EllipticCurvePrivateKey:
    """Return the key of 32 bytes in URL-safe base64. Raises `ValueError`."""
    raw = _decoded(written)
    if len(raw) != _KEY_BYTES:
        raise ValueError("write PERMANENCE_WEB_PUSH_VAPID as 32 bytes in base64url")
    return ec.derive_private_key(int.from_bytes(raw), ec.SECP256R1())


def _encrypted(contact: ToContact, to: Subscription) -> bytes:
    message = contact.message
    told = {
        "title": message.incident or message.summary,
        "body": message.summary,
        "url": message.accept_url or message.url,
        "urgent": message.urgent,
        "tag": contact.key,
    }
    encrypted: bytes = http_ece.encrypt(
        orjson.dumps(told),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=to.point,
        auth_secret=to.secret,
        version="aes128gcm",
    )
    return encrypted


def _vapid(
    key: ec.EllipticCurvePrivateKey, contact: str, endpoint: httpx.URL, at: datetime
) -> str:
    """Return the header that says who pushes, valid for one push service."""
    claims = {
        "aud": f"{endpoint.scheme}://{endpoint.netloc.decode('ascii')}",
        "exp": int((at + SIGNED_FOR).timestamp()),
        "sub": contact,
    }
    header = {"alg": "ES256", "typ": "JWT"}
    token = jwt.encode(header, claims, ECKey(key, key))
    return f"vapid t={token}, k={public_key(key)}"


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public key, which browsers need to subscribe."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _encoded(point)


def _topic(key: str) -> str:
    return _encoded(sha256(key.encode()).digest())[:_TOPIC_MAX]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _decoded(written: str) -> bytes:
    try:
        padded = written + "=" * (-len(written) % 4)
        return base64.urlsafe_b64decode(padded)
    except binascii.Error as error:
        raise ValueError("it is not base64url") from error
