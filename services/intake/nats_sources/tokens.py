"""The authorization requests of nats-server, and the signed answers to them.

Requests and answers are JSON Web Tokens with the algorithm `ed25519-nkey`:
https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-26.md
"""

from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field

from shared.messaging import subjects
from shared.messaging.streams import SIGNAL_BYTES_MAX
from shared.security.nats_issuer import Issuer

SUBSCRIPTIONS_MAX = 64
_VERSION = 2
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ServerId(_Part):
    """The server that asks."""

    id: str


class ClientInfo(_Part):
    """The connection that it asks about."""

    host: str = ""


class ConnectOptions(_Part):
    """What the client presented."""

    user: str = ""
    password: str = Field("", alias="pass", repr=False)
    auth_token: str = Field("", repr=False)


class Connection(_Part):
    """A client that wants to connect."""

    server_id: ServerId
    user_nkey: str
    client_info: ClientInfo
    connect_opts: ConnectOptions

    @property
    def key(self) -> str:
        """The key presented, as password or as token."""
        return self.connect_opts.password or self.connect_opts.auth_token


class _Request(_Part):
    nats: Connection


def connection_of(token: bytes) -> Connection:
    """Return the connection in a request; `ValueError` if it is malformed.

    The signature is not verified: only servers can publish on this subject.
    """
    parts = token.split(b".")
    if len(parts) != len(("header", "claims", "signature")):
        raise ValueError("not a JSON Web Token")
    claims = urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4))
    return _Request.model_validate_json(claims).nats


@dataclass(frozen=True, slots=True)
class User:
    """A source as a NATS user, with the key by which it was admitted."""

    source: str
    key_id: str

    @property
    def name(self) -> str:
        """The user name on the server."""
        return f"{self.source}/{self.key_id}"

    @classmethod
    def named(cls, name: str) -> Self | None:
        """Return the user with this name on the server; None if it is not a source."""
        source, slash, key_id = name.partition("/")
        return cls(source, key_id) if slash else None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A source that may connect, until its key expires."""

    user: User
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Denied:
    """A client that may not connect; the server logs why, without telling it."""

    why: str


def answer_to(
    connection: Connection, verdict: Admitted | Denied, issuer: Issuer, now: datetime
) -> bytes:
    """Return the answer to a server's request, signed by `issuer`."""
    told: dict[str, object] = {"type": "authorization_response", "version": _VERSION}
    match verdict:
        case Admitted():
            told["jwt"] = _signed(_user(connection, verdict), issuer, now)
        case Denied(why):
            told["error"] = why
    claims = {
        "sub": connection.user_nkey,
        "aud": connection.server_id.id,
        "nats": told,
    }
    return _signed(claims, issuer, now).encode()


def _user(connection: Connection, admitted: Admitted) -> dict[str, object]:
    """Return the claims of the user: one subject to publish on, and its inbox."""
    source = admitted.user.source
    claims: dict[str, object] = {
        "sub": connection.user_nkey,
        "aud": subjects.SOURCES_ACCOUNT,
        "name": admitted.user.name,
        "nats": {
            "type": "user",
            "version": _VERSION,
            "pub": {"allow": [subjects.signal(source)]},
            "sub": {"allow": [f"{subjects.source_inbox_prefix(source)}.>"]},
            "subs": SUBSCRIPTIONS_MAX,
            "payload": SIGNAL_BYTES_MAX,
            "data": -1,
        },
    }
    if admitted.expires_at is not None:
        claims["exp"] = int(admitted.expires_at.timestamp())
    return claims


def _signed(claims: Mapping[str, Any], issuer: Issuer, now: datetime) -> str:
    whole = {
        **claims,
        "iss": issuer.public,
        "iat": int(now.timestamp()),
    }
    whole["jti"] = b32encode(sha256(orjson.dumps(whole)).digest()).decode().rstrip("=")
    signed = f"{_text(orjson.dumps(_HEADER))}.{_text(orjson.dumps(whole))}"
    return f"{signed}.{_text(issuer.sign(signed.encode()))}"


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
