"""Access tokens for a mailbox, from the token endpoint of its provider.

OAuth 2.0 (RFC 6749): client credentials (4.4), or a refresh token (6). A token is kept
in memory, and replaced shortly before it expires. No redirect is followed, since it
would take secrets elsewhere; of what the endpoint says, only known error codes are
repeated.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import orjson
from pydantic import BaseModel, Field, SecretStr, StringConstraints, ValidationError

from services.intake.mailboxes.address import OAuthAccess

SECONDS_MAX = 10.0
"""Limit for one request, from the connection to the end of the answer."""
ANSWER_BYTES_MAX = 64 * 1024
LIFE_SECONDS = 600.0
"""How long a token is used if its provider does not say."""
MARGIN_SECONDS, MARGIN = 60.0, 0.1
"""How long before it expires a token is replaced; at most this part of its life."""
_ADVICE = {
    "invalid_request": "check `token_url`, `client_id` and `scope`",
    "invalid_client": "check `client_id` and `client_secret`, which may have expired",
    "invalid_grant": "the refresh token was refused: get a new `refresh_token`",
    "invalid_scope": "check `scope`",
    "unauthorized_client": "let the client ask for tokens in this way",
    "unsupported_grant_type": "let the client ask for tokens in this way",
}
"""What to do about each error code of RFC 6749, section 5.2."""
ENTRA_CODES_MAX = 3
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class NoToken(Exception):
    """The provider gave no token; the message says why, without any secret."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token, and the instant of the monotonic clock from which it is replaced."""

    text: str = field(repr=False)
    fresh_until: float

    def is_fresh(self, now: float) -> bool:
        """Whether it may be presented, and a session that it opened may go on."""
        return now < self.fresh_until


class _Answer(BaseModel):
    """What an endpoint says that gives a token (RFC 6749, 5.1)."""

    access_token: Annotated[
        str, StringConstraints(pattern=r"^[\x21-\x7e]+$", max_length=ANSWER_BYTES_MAX)
    ] = Field(repr=False)
    token_type: str = "Bearer"  # noqa: S105 # no secret: the only known type
    expires_in: Annotated[float, Field(gt=0, allow_inf_nan=False)] = LIFE_SECONDS
    refresh_token: SecretStr | None = None


class AccessTokens:
    """Gets the tokens of one mailbox, and keeps the last."""

    def __init__(self, access: OAuthAccess) -> None:
        self._access = access
        self._refresh = access.refresh_token
        """The newest; one that the provider sent is in memory only."""
        self._held: AccessToken | None = None

    async def token(self, now: float) -> AccessToken:
        """Return a token that is fresh at `now`. Raises `NoToken`."""
        if self._held is None or not self._held.is_fresh(now):
            self._held = None
            self._held = await self._fetched(now)
        return self._held

    def refuse(self, token: AccessToken) -> None:
        """Do not return a token again: the mail server has refused it."""
        if self._held == token:
            self._held = None

    async def _fetched(self, now: float) -> AccessToken:
        access, refresh = self._access, self._refresh
        form = {"client_id": access.client_id}
        if access.client_secret is not None:
            form["client_secret"] = access.client_secret.get_secret_value()
        if access.scope is not None:
            form["scope"] = access.scope
        if refresh is None:
            form["grant_type"] = "client_credentials"
        else:
            form["grant_type"] = "refresh_token"
            form["refresh_token"] = refresh.get_secret_value()
        host = urlsplit(access.token_url).hostname or ""
        answer = _read(host, *await _asked(access.token_url, form))
        self._refresh = answer.refresh_token or refresh
        margin = min(MARGIN_SECONDS, MARGIN * answer.expires_in)
        return AccessToken(answer.access_token, now + answer.expires_in - margin)


async def _asked(url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
    """Return the status and body of the answer; raises `NoToken` without one."""
    host = urlsplit(url).hostname
    is_tls = url.startswith("https:")
    context = ssl.create_default_context() if is_tls else False
    try:
        async with (
            asyncio.timeout(SECONDS_MAX),
            # Without TLS no proxy from the environment, which is another machine.
            httpx.AsyncClient(
                verify=context,
                trust_env=is_tls,
                follow_redirects=False,
                timeout=SECONDS_MAX,
            ) as client,
            client.stream("POST", url, data=form, headers=_HEADERS) as answer,
        ):
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise NoToken(f"{host} compresses its answer, though asked not to")
            raw = bytearray()
            async for piece in answer.aiter_raw():
                raw += piece
                if len(raw) > ANSWER_BYTES_MAX:
                    raise NoToken(
                        f"{host} answers with more than {ANSWER_BYTES_MAX} bytes, "
                        "which is not a token: check `token_url`"
                    )
            return answer.status_code, bytes(raw)
    except (TimeoutError, httpx.TimeoutException):
        raise NoToken(f"{host} gave no token within {SECONDS_MAX:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        why = "its certificate is not trusted" if untrusted else type(error).__name__
        raise NoToken(f"{host}, which gives tokens, cannot be reached: {why}") from None


def _read(host: str, status: int, raw: bytes) -> _Answer:
    """Return what an endpoint says; raises `NoToken` if it gives no token."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise NoToken(
            f"{host} redirects (HTTP {status}), which is not followed: write the "
            "`token_url` that gives the token itself"
        )
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        document = None
    if not httpx.codes.is_success(status):
        raise NoToken(_refusal(host, status, document))
    if not isinstance(document, dict):
        raise NoToken(f"{host} does not answer with a JSON object: check `token_url`")
    try:
        answer = _Answer.model_validate(document)
    except ValidationError as error:
        fields = {str(one["loc"][0]) for one in error.errors(include_input=False)}
        named = ", ".join(f"`{each}`" for each in sorted(fields))
        raise NoToken(f"{host} answers without a usable {named}") from None
    if answer.token_type.casefold() != "bearer":
        raise NoToken(f"{host} gives a token that is not of the type Bearer")
    return answer


def _refusal(host: str, status: int, document: object) -> str:
    """Return what an error means: by codes, since the rest may repeat a secret."""
    found = document if isinstance(document, dict) else {}
    code, numbers = found.get("error"), found.get("error_codes")
    said = [f"HTTP {status}"]
    advice = "check `token_url`" if status < HTTPStatus.INTERNAL_SERVER_ERROR else ""
    if isinstance(code, str) and code in _ADVICE:
        said.append(code)
        advice = _ADVICE[code]
    if isinstance(numbers, list):  # as Microsoft Entra names its reasons
        said += [f"AADSTS{each}" for each in numbers if isinstance(each, int)]
    told = f"{host} gave no token ({', '.join(said[: 2 + ENTRA_CODES_MAX])})"
    return f"{told}: {advice}" if advice else told
