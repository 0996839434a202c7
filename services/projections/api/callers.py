"""Authenticates callers and checks their permissions: bearer tokens and scopes."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.projections.api.desk import DeskHere
from shared.http.bearer import caller_of, require_scope
from shared.messaging.commands import Credential, Scope
from shared.security.access import Caller
from shared.security.sender import COMMANDERS, READERS

_PERSON = "person:"

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


async def _caller(desk: DeskHere, token: Token) -> Caller:
    """Return the caller of the request; `HttpError` 401 without a valid token."""
    given = token.credentials if token else None
    return await caller_of(desk.access, given, desk.blocking)


Anybody = Annotated[Caller, Depends(_caller)]


def credential_of(token: Token) -> Credential | None:
    """Return the caller's token in the form in which commands carry it."""
    return Credential(kind="token", secret=token.credentials) if token else None


def _one_of(*scopes: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    async def allowed(caller: Anybody) -> Caller:
        require_scope(caller, *scopes)
        return caller

    return allowed


Reader = Annotated[Caller, Depends(_one_of(*READERS))]
Commander = Annotated[Caller, Depends(_one_of(*COMMANDERS))]
Auditor = Annotated[Caller, Depends(_one_of("auditor", "admin"))]


def person_of(caller: Caller) -> str | None:
    """Return the id of the person who calls, None for a machine."""
    if not caller.actor.startswith(_PERSON):
        return None
    return caller.actor.removeprefix(_PERSON)


def may_look_people_up(caller: Caller) -> bool:
    """Return whether the caller may see the directory's data about people."""
    return not set(COMMANDERS).isdisjoint(caller.scopes)
