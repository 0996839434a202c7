"""The address of a mailbox and how to sign in there, from a secret.

The secret is a URL with a password, or a JSON object with a URL without one and what
access tokens are asked for with (OAuth 2.0).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Self
from urllib.parse import SplitResult, unquote, urlsplit

import orjson
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from services.intake.secret_reference import NoSecret, secret_of
from shared.domain.policy.clause import Clause
from shared.domain.policy.validation import explained
from shared.http.networks import is_loopback

INBOX = "INBOX"
MISTAKES_SHOWN = 3
_PORTS = {"imaps": 993, "imap": 143}
_WHERE = "see docs/how-to/take-mail.md, “With OAuth 2”"


class NoAddress(Exception):
    """The secret is missing or does not name a mailbox; the message hides it."""


def _token_url(written: str) -> str:
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError as error:
        raise ValueError("write it as https://host/path") from error
    whole = parts.hostname and port != 0 and written.isascii() and written.isprintable()
    if parts.scheme not in {"https", "http"} or not whole:
        raise ValueError("write it as https://host/path")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("write it as https://host/path, nothing more")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("write it with https: secrets are sent there")
    return written


_Word = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
_Secret = Annotated[SecretStr, Field(min_length=1, max_length=8_000)]


class OAuthAccess(Clause):
    """A mailbox, and what access tokens for it are asked for with (RFC 6749)."""

    mailbox: _Word
    """`imaps://name@host/INBOX`, without a password."""
    token_url: Annotated[str, AfterValidator(_token_url)]
    client_id: _Word
    client_secret: _Secret | None = None
    scope: _Word | None = None
    refresh_token: _Secret | None = None
    """With it, it is exchanged for tokens. Without it, the client asks as itself."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.client_secret is None and self.refresh_token is None:
            raise ValueError("write `client_secret`, `refresh_token`, or both")
        return self


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a mailbox. Without `tls`, STARTTLS is used before the login."""

    host: str
    port: int
    user: str
    login: str | OAuthAccess = field(repr=False)
    """The password, or how access tokens are had."""
    folder: str = INBOX
    tls: bool = True

    @property
    def is_here(self) -> bool:
        """Whether the server is on this machine, so that nobody can eavesdrop."""
        return is_loopback(self.host)


def address_of(reference: str, environment: Mapping[str, str]) -> Address:
    """Return the mailbox in `env:NAME` or `file:PATH`. Raises `NoAddress`."""
    try:
        written = secret_of(reference, environment)
    except NoSecret as error:
        raise NoAddress(str(error)) from error
    if written.startswith("{"):
        access = _access(written, reference)
        form = f"write `mailbox` in {reference} as imaps://name@host/INBOX"
        return _address(access.mailbox, access, form)
    form = f"write {reference} as imaps://name:password@host/INBOX"
    return _address(written, None, f"{form}; to sign in with OAuth 2, {_WHERE}")


def _access(written: str, reference: str) -> OAuthAccess:
    try:
        document = orjson.loads(written)
    except orjson.JSONDecodeError:
        raise NoAddress(f"{reference} is not valid JSON: {_WHERE}") from None
    try:
        return OAuthAccess.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    # Not `from error`, whose text has the values.
    mistakes = [*dict.fromkeys(map(_mistake, found))]
    raise NoAddress(f"correct {reference}: {'; '.join(mistakes[:MISTAKES_SHOWN])}")


def _mistake(error: ErrorDetails) -> str:
    """Return what to write; an unknown field, which may be a secret, has no name."""
    if error["type"] == "extra_forbidden":
        return f"its fields are {', '.join(OAuthAccess.model_fields)}: take others out"
    told = explained(error, OAuthAccess)
    return f"`{error['loc'][0]}`: {told}" if error["loc"] else told


def _address(written: str, access: OAuthAccess | None, form: str) -> Address:
    try:
        parts = urlsplit(written)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise NoAddress(f"its address is not valid: {form}") from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if access and password:
        raise NoAddress(f"a password is not used with OAuth 2: {form}")
    if not port or not _is_whole(parts, user, access or password):
        raise NoAddress(f"its address is not that of a mailbox: {form}")
    return Address(
        parts.hostname or "",
        port,
        user,
        access or password,
        unquote(parts.path.strip("/")) or INBOX,
        tls=parts.scheme == "imaps",
    )


def _is_whole(parts: SplitResult, user: str, login: str | OAuthAccess) -> bool:
    # A control character would end the name within the answer to the server.
    return bool(parts.hostname and user and user.isprintable() and login)
