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
) -> Caller:
    """Return the owner of `token`; `HttpError` 401 if the token is invalid.

    `blocking` runs a blocking call in a thread.
    """
    if not token:
        raise HttpError(
            401, "no bearer token: send `Authorization: Bearer <token>`", code="token"
        )
    caller = access.remembered(token)
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


def require_scope(caller: Caller, *scopes: Scope) -> None:
    """Raise `HttpError` 403 if the caller has none of `scopes`."""
    if set(scopes).isdisjoint(caller.scopes):
        needed = "one of the scopes" if len(scopes) > 1 else "the scope"
        raise HttpError(
            403,
            f"this token may not do this: it takes {needed} {', '.join(scopes)}",
            code="scope",
        )
