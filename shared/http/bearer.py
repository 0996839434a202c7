"""Authenticates a bearer token, and checks that its owner has a scope."""

from collections.abc import Awaitable, Callable

from shared.http.problem_details import HttpError
from shared.messaging.commands import Scope
from shared.security.access import Access, Caller, is_token

Verify = Callable[[str], Caller | None]


async def caller_of(
    access: Access,
    token: str | None,
    blocking: Callable[[Verify, str], Awaitable[Caller | None]],
    *,
    acts: bool = False,
) -> Caller:
    """Return the owner of `token`; `HttpError` 401 if the token is invalid.

    `blocking` runs a blocking call in a thread. A request that only reads takes the
    answer of some seconds ago. One that `acts` asks the database, so what was revoked
    acts no more; sources send too much for that, and may do nothing else.
    """
    if not token:
        raise HttpError(
            401, "no bearer token: send `Authorization: Bearer <token>`", code="token"
        )
    caller = access.remembered(token)
    if acts and caller is not None and "source" not in caller.scopes:
        caller = None
    if caller is None and is_token(token):
        caller = await blocking(access.verify, token)
    if caller is None:
        raise unknown_token()
    return caller


def unknown_token() -> HttpError:
    """Return the error for an invalid token."""
    return HttpError(
        401,
        "this token is unknown, expired or revoked: ask an admin for "
        "`permanence token create`",
        code="token",
    )


def require_scope(caller: Caller, *scopes: Scope, limited: bool = False) -> None:
    """Raise `HttpError` 403 if the caller has none of `scopes`.

    Also if the caller has them only within limits to some clients, services or teams,
    unless `limited`: then what is asked for has to be compared with the limits.
    """
    if set(scopes).isdisjoint(caller.scopes):
        needed = "one of the scopes" if len(scopes) > 1 else "the scope"
        raise HttpError(
            403,
            f"this token may not do this: it takes {needed} {', '.join(scopes)}",
            code="scope",
        )
    if not limited and caller.limits_of(*scopes) is not None:
        raise HttpError(
            403,
            "your rights are limited to some clients, services or teams, and this is "
            "about all of them: ask somebody without limits",
            code="limits",
        )
