"""Talks to the identity provider: discovery, keys, the code for an identity token.

The authorization code flow with PKCE (RFC 7636). What belongs to one login is derived
from a secret in the browser that began it, so an answer that another browser got is
worth nothing here.
"""

import asyncio
import base64
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.projections.identity_provider.rules import (
    Claims,
    UnknownKey,
    UntrustedToken,
    trusted_claims,
)
from shared.clock import Clock

SECONDS_MAX = 5.0
"""How long one request to the provider may take."""
KNOWN_SECONDS = 3_600.0
"""How long its addresses and keys are used without asking again."""
KEYS_AGAIN_SECONDS = 30.0
"""How often it is asked for its keys at most, when a token names an unknown one."""
BYTES_MAX = 1024 * 1024

Json = Mapping[str, Any]


class ProviderAway(Exception):
    """The identity provider cannot be reached, or does not answer as it must."""


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows us by. Without a secret we are a public client."""

    issuer: str
    client_id: str
    client_secret: str | None
    scope: str


@dataclass(frozen=True, slots=True)
class Login:
    """One attempt to sign in, known by a secret that its browser keeps."""

    secret: str

    @classmethod
    def begin(cls) -> "Login":
        """Return a new one."""
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """What the provider sends back: proves that this browser began the login."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the identity token repeats: proves that it was made for this login."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What a stolen code is useless without."""
        return self._derived("verifier")

    def _derived(self, purpose: str) -> str:
        raw = hmac.digest(self.secret.encode(), purpose.encode(), sha256)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def outside_client() -> httpx.AsyncClient:
    """Return an HTTP client that stores no cookies: all visitors share it."""
    policy = DefaultCookiePolicy(allowed_domains=())
    return httpx.AsyncClient(cookies=CookieJar(policy))


class IdentityProvider:
    """The provider of a desk, found by the address of its issuer."""

    def __init__(
        self,
        client: Client,
        http: httpx.AsyncClient,
        clock: Clock,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self._http = http
        self._clock = clock
        self._elapsed = elapsed
        self._metadata: Json = {}
        self._metadata_until = float("-inf")
        self._keys = KeySet([])
        self._keys_at = float("-inf")
        self._lock = asyncio.Lock()

    async def address(self, login: Login, back: str) -> str:
        """Return where to send the browser; it comes back to `back`.

        Raises `ProviderAway`.
        """
        metadata = await self._discovered()
        return str(
            prepare_grant_uri(
                metadata["authorization_endpoint"],
                self.client.client_id,
                "code",
                redirect_uri=back,
                scope=self.client.scope,
                state=login.state,
                nonce=login.nonce,
                code_challenge=create_s256_code_challenge(login.verifier),
                code_challenge_method="S256",
            )
        )

    async def claims(self, login: Login, code: str, back: str) -> Claims:
        """Exchange a code; return what the provider says about who signed in.

        Raises `ProviderAway`, `UntrustedToken`.
        """
        metadata = await self._discovered()
        answer = await self._exchanged(metadata, login, code, back)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise UntrustedToken("the answer has no identity token")
        claims = await self._trusted(metadata, token, login.nonce)
        return {**await self._more(metadata, answer, claims), **claims}

    async def leave_address(self, back: str) -> str | None:
        """Return where one signs out of the provider too, None if it has no page."""
        try:
            end = (await self._discovered()).get("end_session_endpoint")
        except ProviderAway:
            return None
        if not isinstance(end, str):
            return None
        asked = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        return f"{end}{'&' if '?' in end else '?'}{urlencode(asked)}"

    async def _trusted(self, metadata: Json, token: str, nonce: str) -> Claims:
        """Return the claims of a token; ask for new keys if it names another one."""
        keys = await self._held_keys(metadata, KNOWN_SECONDS)
        for again in (True, False):
            try:
                return trusted_claims(
                    token,
                    keys,
                    self.client.issuer,
                    self.client.client_id,
                    nonce,
                    self._clock(),
                )
            except UnknownKey:
                if not again:
                    raise
                keys = await self._held_keys(metadata, KEYS_AGAIN_SECONDS)
        raise AssertionError

    async def _held_keys(self, metadata: Json, seconds: float) -> KeySet:
        """Return the keys as of at most so many seconds ago."""
        async with self._lock:
            if self._elapsed() - self._keys_at >= seconds:
                document = await self._got(metadata["jwks_uri"])
                try:
                    self._keys = KeySet.import_key_set(dict(document))  # type: ignore[arg-type] # checked there
                except (JoseError, ValueError, KeyError, TypeError) as error:
                    raise ProviderAway("its keys cannot be read") from error
                self._keys_at = self._elapsed()
            return self._keys

    async def _discovered(self) -> Json:
        """Return the addresses of the provider.

        The issuer must be the one in the settings: its tokens name it.
        """
        async with self._lock:
            if self._elapsed() < self._metadata_until:
                return self._metadata
            issuer = self.client.issuer
            found = await self._got(get_well_known_url(issuer, external=True))
            if found.get("issuer") != issuer:
                raise ProviderAway("it calls itself another issuer")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if not all(isinstance(found.get(name), str) for name in needed):
                raise ProviderAway("its description lacks an address")
            self._metadata = found
            self._metadata_until = self._elapsed() + KNOWN_SECONDS
            return found

    async def _exchanged(
        self, metadata: Json, login: Login, code: str, back: str
    ) -> Json:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": login.verifier,
        }
        headers = {"Accept": "application/json"}
        secret = self.client.client_secret
        methods = metadata.get(
            "token_endpoint_auth_methods_supported", ["client_secret_basic"]
        )
        if secret and "client_secret_basic" in methods:
            # RFC 6749, 2.3.1: both are encoded before they are joined.
            pair = (quote_plus(self.client.client_id), quote_plus(secret))
            return await self._asked(
                "POST",
                metadata["token_endpoint"],
                data=form,
                headers=headers,
                auth=pair,
            )
        form["client_id"] = self.client.client_id
        if secret:
            form["client_secret"] = secret
        return await self._asked(
            "POST", metadata["token_endpoint"], data=form, headers=headers
        )

    async def _more(self, metadata: Json, answer: Json, claims: Claims) -> Json:
        """Return what only the endpoint `userinfo` says, about the same person."""
        address, token = metadata.get("userinfo_endpoint"), answer.get("access_token")
        if not isinstance(address, str) or not isinstance(token, str):
            return {}
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        try:
            more = await self._asked("GET", address, headers=headers)
        except UntrustedToken:
            return {}
        return more if more.get("sub") == claims["sub"] else {}

    async def _got(self, address: str) -> Json:
        try:
            return await self._asked("GET", address)
        except UntrustedToken as error:
            raise ProviderAway(str(error)) from error

    async def _asked(self, method: str, address: str, **given: Any) -> Json:  # noqa: ANN401 # as httpx takes it
        """Return the JSON object at an address of the provider."""
        try:
            async with asyncio.timeout(SECONDS_MAX):
                # No limit of the library's own within it.
                answer = await self._http.request(
                    method, address, timeout=None, **given
                )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ProviderAway(type(error).__name__) from error
        if answer.is_server_error:
            raise ProviderAway(f"it answers {answer.status_code}")
        if len(answer.content) > BYTES_MAX:
            raise ProviderAway("its answer is too long")
        try:
            document = answer.json()
        except ValueError as error:
            raise ProviderAway("it does not answer in JSON") from error
        if not answer.is_success:
            code = document.get("error") if isinstance(document, dict) else None
            raise UntrustedToken(f"it answers {answer.status_code} {code!s:.60}")
        if not isinstance(document, dict):
            raise ProviderAway("it does not answer with an object")
        return document
