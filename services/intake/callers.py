"""The caller at the door: from a request to whom its key belongs to."""

import asyncio
from concurrent.futures import Executor

from starlette.requests import Request

from shared.http.bearer import Verify, caller_of, require_scope
from shared.http.problem_details import HttpError
from shared.security.access import Access, Caller
from shared.security.sender import READERS

_SOURCE = "source:"


def bearer(request: Request) -> str | None:
    """Return the bearer token of a request, None where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def caller_at(access: Access, executor: Executor, token: str | None) -> Caller:
    """Return the caller whose token it is; `HttpError` 401 where it is none."""

    async def blocking(verify: Verify, asked: str) -> Caller | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, verify, asked)

    return await caller_of(access, token, blocking)


def source_of(caller: Caller) -> str:
    """Return the source that calls; `HttpError` 403 where it is none."""
    require_scope(caller, "source")
    if not caller.actor.startswith(_SOURCE):
        raise HttpError(
            403,
            "signals are sent with the key of a source: make one with "
            "`permanence token create --actor source:<name> --scope source`",
            code="scope",
        )
    return caller.actor.removeprefix(_SOURCE)


def seen_by(caller: Caller) -> str | None:
    """Return the one source whose signals the caller may see, None for people.

    `HttpError` 403 for who may see none.
    """
    if caller.actor.startswith(_SOURCE):
        return caller.actor.removeprefix(_SOURCE)
    require_scope(caller, *READERS)
    return None
