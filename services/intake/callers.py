"""Who is at the door: from a request to a caller with the scope it needs."""

import asyncio
from concurrent.futures import Executor

from starlette.requests import Request

from shared.access import Access, Caller
from shared.command import Scope
from shared.problem import Problem

_SOURCE = "source:"


def bearer(request: Request) -> str:
    """Return the bearer token of a request; `Problem` 401 where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(
            401, "no bearer token: send `Authorization: Bearer <token>`", code="token"
        )
    return token.strip()


async def identify(
    access: Access, executor: Executor, token: str, scope: Scope
) -> Caller:
    """Return the caller of `token`; `Problem` 401 if unknown, 403 without `scope`."""
    caller = access.remembered(token)
    if caller is None:
        loop = asyncio.get_running_loop()
        caller = await loop.run_in_executor(executor, access.verify, token)
    if caller is None:
        raise Problem(
            401,
            "this token is unknown, expired or revoked: ask an admin for "
            "`permanence token create`",
            code="token",
        )
    if scope not in caller.scopes:
        raise Problem(
            403,
            f"this token may not do this: it lacks the scope `{scope}`",
            code="scope",
        )
    return caller


def source_of(caller: Caller) -> str:
    """Return the source a key belongs to; `Problem` 403 for a person's token."""
    if not caller.actor.startswith(_SOURCE):
        raise Problem(
            403,
            "signals are sent with the key of a source: make one with "
            "`permanence token create --actor source:<name> --scope source`",
            code="scope",
        )
    return caller.actor.removeprefix(_SOURCE)
