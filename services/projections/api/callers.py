"""Authenticates callers and checks their permissions: bearer tokens and scopes."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.projections.api.desk import Desk, DeskHere
from services.projections.reads.middleware import name_reader
from services.projections.sight import Sight
from shared.http.bearer import caller_of, require_scope
from shared.http.form_limits import address_of
from shared.messaging.commands import Credential, Scope
from shared.security.access import Caller, is_token
from shared.security.sender import COMMANDERS, READERS

_PERSON = "person:"
_READING = ("GET", "HEAD")

Token = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(
        HTTPBearer(
            auto_error=False,
            scheme_name="token",
            description="A token made with `permanence token create`.",
        )
    ),
]


async def _caller(request: Request, desk: DeskHere, token: Token) -> Caller:
    """Return the caller of the request; `HttpError` 401 without a valid token."""
    given = token.credentials if token else None
    acts = request.method not in _READING
    caller = await caller_with(request, desk, given, acts=acts)
    name_reader(request, caller.actor)
    return caller


async def caller_with(
    request: Request, desk: Desk, token: str | None, *, acts: bool = False
) -> Caller:
    """Return the owner of a token in a request; `HttpError` 401 if it is invalid.

    Raises 429 if too many invalid ones came from its address. One that is missing or
    malformed costs no look-up, and is not counted.
    """
    if not token or not is_token(token):
        return await caller_of(desk.access, token, desk.blocking, acts=acts)

    async def may_be_valid() -> bool:
        if desk.access.remembered(token):
            return True
        return await desk.blocking(desk.access.may_live, token)

    return await desk.wrong_keys.limit(
        partial(address_of, request, desk.trusted_proxies),
        may_be_valid,
        partial(caller_of, desk.access, token, desk.blocking, acts=acts),
    )


Anybody = Annotated[Caller, Depends(_caller)]


def credential_of(token: Token) -> Credential | None:
    """Return the caller's token in the form in which commands carry it."""
    return Credential(kind="token", secret=token.credentials) if token else None


def _one_of(
    *scopes: Scope, limited: bool = False
) -> Callable[[Caller], Awaitable[Caller]]:
    async def allowed(caller: Anybody) -> Caller:
        require_scope(caller, *scopes, limited=limited)
        return caller

    return allowed


Reader = Annotated[Caller, Depends(_one_of(*READERS))]
"""Somebody who sees everything: 403 for those whose rights are limited."""
SomeReader = Annotated[Caller, Depends(_one_of(*READERS, limited=True))]
"""Somebody who may be limited: the endpoint shows what is in their `sight_of`."""
ClientReader = Annotated[Caller, Depends(_one_of(*READERS, "client", limited=True))]
"""The same, or somebody of a client, who sees less of each record."""
SomeCommander = Annotated[Caller, Depends(_one_of(*COMMANDERS, limited=True))]
"""Somebody who may command, perhaps within limits, which the owner compares."""
Auditor = Annotated[Caller, Depends(_one_of("auditor", "admin"))]
OnlyAuditor = Annotated[Caller, Depends(_one_of("auditor"))]
"""An auditor: administrators may not read who read what, unless they are one, too."""
Admin = Annotated[Caller, Depends(_one_of("admin"))]


def sight_of(caller: Caller) -> Sight:
    """Return what the caller sees; a client's person without another role sees less."""
    internal = not set(READERS).isdisjoint(caller.scopes)
    roles = READERS if internal else ("client",)
    return Sight(caller.limits_of(*roles), internal)


def person_of(caller: Caller) -> str | None:
    """Return the id of the person who calls, None for a machine."""
    if not caller.actor.startswith(_PERSON):
        return None
    return caller.actor.removeprefix(_PERSON)


def may_look_people_up(caller: Caller) -> bool:
    """Return whether the caller may see the directory's data about people."""
    return not set(COMMANDERS).isdisjoint(caller.scopes)
