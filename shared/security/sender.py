"""Derives the sender of a command from the credential in it.

The API passes credentials on, and nothing else that it claims is trusted: its NATS
password alone does not allow anybody to act as another person.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, assert_never
from uuid import UUID, uuid5

from shared.clock import Clock
from shared.domain.commands.sla import AcceptExtension, RefuseExtension
from shared.domain.identifiers import extended_incident
from shared.eventlog.log import EventLog
from shared.http.bearer import require_scope, unknown_token
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage, CommandRequest, Credential, Scope
from shared.security.access import Access, Caller
from shared.security.signed_links import PURPOSE, read_token

NAMESPACE = UUID("6f1d3c1e-7a55-4b0e-9b1f-0d1e5f3b7c52")
"""The namespace of command ids: equal credentials and keys give equal ids."""
COMMANDERS: tuple[Scope, ...] = ("agent", "manager", "admin")
"""The scopes whose tokens may send commands."""
READERS: tuple[Scope, ...] = ("agent", "manager", "auditor", "admin")
"""The scopes whose tokens may read."""

LinkKeys = Callable[[], Sequence[bytes]]
"""Returns the keys that may have signed answer links; empty without a vault."""


def authentication(log: EventLog, clock: Clock, executor: Executor) -> "Authentication":
    """Return the verifier of credentials, with the tokens and the vault of `log`."""

    def link_keys() -> Sequence[bytes]:
        return log.vault.keys_for(PURPOSE)

    return Authentication(Access(log.transaction, clock), link_keys, clock, executor)


class Authentication:
    """Turns received commands into commands with an authenticated sender."""

    def __init__(
        self, access: Access, link_keys: LinkKeys, clock: Clock, executor: Executor
    ) -> None:
        self._access = access
        self._link_keys = link_keys
        self._clock = clock
        self._executor = executor

    async def request(
        self, message: CommandMessage[Any], scopes: Sequence[Scope] = COMMANDERS
    ) -> CommandRequest[Any]:
        """Return the command with its sender, whose token has one of `scopes`.

        A link in a mail needs no scope: it can only answer its one question. Raises
        `HttpError` 401 if the credential is invalid, 403 if it is valid for something
        else, `Unavailable`.
        """
        credential = message.credential
        if credential is None:
            raise HttpError(401, "the command carries no credential", code="token")
        match credential.kind:
            case "token":
                caller = await self._owner_of(credential)
                require_scope(caller, *scopes)
            case "answer_link":
                caller = self._addressee_of(credential, message)
            case _:
                assert_never(credential.kind)
        return request_of(message, caller)

    async def _owner_of(self, credential: Credential) -> Caller:
        token = credential.secret
        caller = self._access.remembered(token)
        if caller is None:
            loop = asyncio.get_running_loop()
            caller = await loop.run_in_executor(
                self._executor, self._access.verify, token
            )
        if caller is None:
            raise unknown_token()
        return caller

    def _addressee_of(
        self, credential: Credential, message: CommandMessage[Any]
    ) -> Caller:
        link = read_token(self._link_keys(), credential.secret)
        if link is None:
            raise HttpError(401, "the link is not signed by this desk", code="token")
        if link.until <= self._clock():
            raise HttpError(
                409, "this link has expired: answer the letter", code="state"
            )
        about = (extended_incident(link.extension), link.extension)
        if not isinstance(message.body, AcceptExtension | RefuseExtension) or about != (
            message.incident,
            message.record,
        ):
            raise HttpError(
                403, f"the link only answers {link.extension}", code="scope"
            )
        return Caller(f"person:{link.person}", (), f"{link.extension}|{link.person}")


def request_of(message: CommandMessage[Any], caller: Caller) -> CommandRequest[Any]:
    """Return the command with `caller` as its sender."""
    return CommandRequest[Any](
        incident=message.incident,
        record=message.record,
        actor=caller.actor,
        scopes=caller.scopes,
        command_id=command_id(caller, message.idempotency_key),
        if_match=message.if_match,
        body=message.body,
    )


def command_id(caller: Caller, key: str | None) -> UUID | None:
    """Return the id of the command that `caller` sent with `key`."""
    return uuid5(NAMESPACE, f"{caller.token_id}|{key}") if key is not None else None
