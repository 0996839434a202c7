"""Signing in at the identity provider: begins a login, and accepts its answer.

A login is known by a secret that the browser keeps. Its answer counts only together
with that secret, and once.
"""

import hmac
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.sessions.endpoints import started
from services.projections.api.sessions.views import Device, SignedIn
from services.projections.identity_provider.provider import Login, ProviderAway
from services.projections.identity_provider.rules import Claims, UntrustedToken
from services.projections.identity_provider.store import (
    ProviderSignIn,
    accept_once,
    start_of,
)
from shared.http.bodies import read_object, validated
from shared.http.form_limits import address_of
from shared.http.problem_details import HttpError

router = APIRouter(tags=["sessions"])

_ANSWER_MAX = 4_096
_Back = Annotated[
    str,
    StringConstraints(max_length=1_000, pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$"),
]
_Answer = Annotated[str, StringConstraints(max_length=_ANSWER_MAX)]
_log = structlog.get_logger(__name__)


class BeginLogin(BaseModel):
    """Begins a login."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    back: _Back
    """The address to which the provider leads back, as it has registered it."""


class LoginBegun(Answer):
    """A login that has begun."""

    login: Annotated[str, Field(repr=False)]
    """A secret for the browser that began it."""
    address: str
    """Where to send the browser."""


class LoginAnswer(BaseModel):
    """What the provider sent back, and the secret of the login."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    login: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    back: _Back
    state: _Answer
    code: Annotated[str, StringConstraints(min_length=1, max_length=_ANSWER_MAX)]
    iss: _Answer | None = None
    device: Device = ""


class LeaveQuery(BaseModel):
    """Where the browser comes back to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    back: _Back


class Leave(Answer):
    """Where to sign out of the provider as well; null if it has no such page."""

    address: str | None
    name: str


@router.post(
    "/v1/sign-in/provider",
    responses=refusals(400, 404, 413, 415),
    openapi_extra=body_of(BeginLogin),
)
async def begin_login(request: Request, desk: DeskHere) -> LoginBegun:
    """Begin a login at the identity provider (OpenID Connect)."""
    desk.sign_in_limits.admit(address_of(request, desk.trusted_proxies))
    body = validated(BeginLogin, await read_object(request), "login")
    sign_in, login = _of(desk), Login.begin()
    try:
        address = await sign_in.provider.address(login, body.back)
    except ProviderAway as error:
        raise _away(error) from error
    return LoginBegun(login=login.secret, address=address)


@router.post(
    "/v1/sign-in/provider/answer",
    status_code=201,
    responses=refusals(400, 404, 409, 413, 415),
    openapi_extra=body_of(LoginAnswer),
)
async def accept_answer(request: Request, desk: DeskHere) -> SignedIn:
    """Begin the session of whom the identity provider signed in."""
    desk.sign_in_limits.admit(address_of(request, desk.trusted_proxies))
    body = validated(LoginAnswer, await read_object(request), "answer")
    sign_in = _of(desk)
    try:
        claims = await _claims(desk, sign_in, body)
    except UntrustedToken as error:
        _log.warning("provider.refused", why=str(error))
        raise HttpError(
            401,
            "the identity provider did not sign you in here: begin again",
            code="provider_refused",
        ) from error
    except ProviderAway as error:
        raise _away(error) from error
    return await desk.blocking(_begun, desk, sign_in, claims, body.device)


@router.get("/v1/sign-in/provider/leave", responses=refusals(404))
async def get_leave(query: Annotated[LeaveQuery, Query()], desk: DeskHere) -> Leave:
    """Say where to sign out of the identity provider as well."""
    sign_in = _of(desk)
    address = await sign_in.provider.leave_address(query.back)
    return Leave(address=address, name=sign_in.name)


async def _claims(desk: Desk, sign_in: ProviderSignIn, body: LoginAnswer) -> Claims:
    """Return what the provider says. Raises `UntrustedToken`, `ProviderAway`."""
    login, issuer = Login(body.login), sign_in.provider.client.issuer
    if not hmac.compare_digest(
        body.state.encode(errors="replace"), login.state.encode()
    ):
        raise UntrustedToken("another browser began this login")
    if body.iss not in (None, issuer):
        raise UntrustedToken("another issuer answers")
    if not await desk.blocking(_is_first, desk, login):
        raise UntrustedToken("this login was answered before")
    return await sign_in.provider.claims(login, body.code, body.back)


def _is_first(desk: Desk, login: Login) -> bool:
    with desk.log.transaction() as cursor:
        return accept_once(cursor, login.state, desk.clock())


def _begun(
    desk: Desk, sign_in: ProviderSignIn, claims: Claims, device: str
) -> SignedIn:
    now = desk.clock()
    with desk.log.transaction() as cursor:
        start = start_of(cursor, desk.log.vault, sign_in, claims)
        if start is None:
            raise HttpError(
                403,
                "the identity provider knows you and this desk does not: ask an admin "
                "to import you",
                code="unknown_here",
            )
        lasting = replace(start, device=device, lifetime=desk.session_lifetime)
        return started(desk, cursor, lasting, now)


def _of(desk: Desk) -> ProviderSignIn:
    if desk.provider is None:
        raise HttpError(
            404,
            "no identity provider is set up here: sign in another way",
            code="no_provider",
        )
    return desk.provider


def _away(error: ProviderAway) -> HttpError:
    _log.warning("provider.away", why=str(error))
    return HttpError(
        503,
        "the identity provider does not answer: come again in a moment, or sign in "
        "another way",
        code="provider_away",
        retry_after=10,
    )
