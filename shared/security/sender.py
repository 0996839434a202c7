"""Derives the sender of a command from the credential in it.

The API passes credentials on, and nothing else that it claims is trusted: its NATS
password alone does not allow anybody to act as another person.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
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
from shared.security.command_limits import CommandLimits
from shared.security.page_links import answers_page
from shared.security.page_test_links import answers_page_test
from shared.security.seals import PURPOSE as SEALS
from shared.security.seals import SealKeys
from shared.security.signed_links import PURPOSE, USER_LINKS_PURPOSE, read_token
from shared.security.survey_links import answers_survey
from shared.security.user_links import allows, followed, read_link
from shared.threads import in_thread

NAMESPACE = UUID("6f1d3c1e-7a55-4b0e-9b1f-0d1e5f3b7c52")
"""The namespace of command ids: equal credentials and keys give equal ids."""
COMMANDERS: tuple[Scope, ...] = ("agent", "manager", "admin")
"""The scopes whose tokens may send commands."""
READERS: tuple[Scope, ...] = ("agent", "manager", "auditor", "admin")
"""The scopes whose tokens may read."""
REVIEWERS: tuple[Scope, ...] = ("manager", "auditor", "admin")
"""The scopes whose holders see what others may do."""
GIVERS: tuple[Scope, ...] = ("manager", "admin")
"""The scopes whose holders may change what others may do."""

LinkKeys = Callable[[], Sequence[bytes]]
"""Returns the keys that may have signed answer links; empty without a vault."""
LinkOwner = Callable[[CommandMessage[Any]], Caller]
"""Returns the owner of the link in a command; blocks, and raises `HttpError`."""


def authentication(log: EventLog, clock: Clock, executor: Executor) -> "Authentication":
    """Return the verifier of credentials, with the tokens and the vault of `log`."""

    def link_keys() -> Sequence[bytes]:
        return log.vault.keys_for(PURPOSE)

    access = Access(log, clock, seal_keys=seal_keys_of(log))
    owners: Mapping[str, LinkOwner] = {
        "user_link": partial(_user_of, log, clock),
        "page_link": partial(_paged_of, log, clock),
        "survey_link": partial(_asked_of, log),
        "page_test_link": partial(_tested_of, log),
    }
    limits = CommandLimits(log)
    return Authentication(access, link_keys, owners, clock, executor, limits)


def seal_keys_of(log: EventLog) -> SealKeys:
    """Return the keys that seal sessions and links, from the vault of `log`."""
    return lambda: log.vault.keys_for(SEALS)


def _user_of(log: EventLog, clock: Clock, message: CommandMessage[Any]) -> Caller:
    """Return the user whose link is in a command. Raises `HttpError`; blocks."""
    secret = message.credential.secret if message.credential else ""
    link = read_link(log.vault.keys_for(USER_LINKS_PURPOSE), secret, clock())
    with log.transaction() as cursor:
        ref = followed(log, cursor, link).ref
    if not allows(link, ref, message):
        raise HttpError(403, f"the link only follows {link.incident}", code="scope")
    return Caller(f"person:{link.person}", (), f"user|{link.incident}|{link.person}")


def _paged_of(log: EventLog, clock: Clock, message: CommandMessage[Any]) -> Caller:
    """Return whose page link is in a command. Raises `HttpError`; blocks."""
    secret = message.credential.secret if message.credential else ""
    link = answers_page(log, secret, clock(), message)
    token_id = "|".join(filter(None, ("page", link.page, link.person, link.epoch)))
    return Caller(f"person:{link.person}", (), token_id)


def _asked_of(log: EventLog, message: CommandMessage[Any]) -> Caller:
    """Return whose survey link is in a command. Raises `HttpError`; blocks."""
    secret = message.credential.secret if message.credential else ""
    link = answers_survey(log, secret, message)
    token_id = f"survey|{link.invitation}|{link.person}"
    return Caller(f"person:{link.person}", (), token_id)


def _tested_of(log: EventLog, message: CommandMessage[Any]) -> Caller:
    """Return whose page test link is in a command. Raises `HttpError`; blocks."""
    secret = message.credential.secret if message.credential else ""
    link = answers_page_test(log, secret, message)
    token_id = "|".join(filter(None, ("page test", link.test, link.epoch)))
    return Caller(f"person:{link.person}", (), token_id)


class Authentication:
    """Turns received commands into commands with an authenticated sender."""

    def __init__(
        self,
        access: Access,
        link_keys: LinkKeys,
        owners: Mapping[str, LinkOwner],
        clock: Clock,
        executor: Executor,
        limits: CommandLimits,
    ) -> None:
        self._access = access
        self._link_keys = link_keys
        self._owners = owners
        self._clock = clock
        self._executor = executor
        self._limits = limits

    async def request(
        self, message: CommandMessage[Any], scopes: Sequence[Scope] = COMMANDERS
    ) -> CommandRequest[Any]:
        """Return the command with its sender, whose token has one of `scopes`.

        A link in a mail needs no scope: it can only answer its one question, page,
        survey or page test, or do what the user of its one incident may do. Raises
        `HttpError` 401 if the credential is invalid, 403 if it is valid for something
        else, 404 if it is limited to other records, `Unavailable`.
        """
        credential = message.credential
        if credential is None:
            raise HttpError(401, "the command carries no credential", code="token")
        match credential.kind:
            case "token":
                caller = await self._owner_of(credential)
                require_scope(caller, *scopes, limited=True)
                if caller.is_limited:
                    caller = await self._narrowed(caller, message, scopes)
            case "answer_link":
                caller = await self._addressee_of(credential, message)
            case "user_link" | "page_link" | "survey_link" | "page_test_link" as kind:
                caller = await in_thread(self._executor, self._owners[kind], message)
            case _:
                assert_never(credential.kind)
        return request_of(message, caller)

    async def _owner_of(self, credential: Credential) -> Caller:
        """Return whose token it is now: what was just revoked commands nothing."""
        caller = await in_thread(self._executor, self._access.verify, credential.secret)
        if caller is None:
            raise unknown_token()
        return caller

    async def _narrowed(
        self, caller: Caller, message: CommandMessage[Any], scopes: Sequence[Scope]
    ) -> Caller:
        return await in_thread(
            self._executor, self._limits.narrowed, caller, message, scopes
        )

    async def _addressee_of(
        self, credential: Credential, message: CommandMessage[Any]
    ) -> Caller:
        link = read_token(self._link_keys(), credential.secret)
        if link is None:
            raise HttpError(401, "the link is not signed by this desk", code="token")
        if link.until <= self._clock():
            raise HttpError(409, "this link has expired: answer the mail", code="state")
        about = (extended_incident(link.extension), link.extension)
        if not isinstance(message.body, AcceptExtension | RefuseExtension) or about != (
            message.incident,
            message.record,
        ):
            raise HttpError(
                403, f"the link only answers {link.extension}", code="scope"
            )
        if await in_thread(self._executor, self._limits.is_removed, link.person):
            raise HttpError(401, "this person has left the desk", code="token")
        return Caller(f"person:{link.person}", (), f"{link.extension}|{link.person}")


def request_of(message: CommandMessage[Any], caller: Caller) -> CommandRequest[Any]:
    """Return the command with `caller` as its sender."""
    return CommandRequest[Any](
        incident=message.incident,
        record=message.record,
        actor=caller.actor,
        scopes=caller.scopes,
        limits={
            scope: within
            for scope in caller.scopes
            if (within := caller.limits_of(scope)) is not None
        },
        command_id=command_id(caller, message.idempotency_key),
        if_match=message.if_match,
        preview=message.preview,
        body=message.body,
    )


def command_id(caller: Caller, key: str | None) -> UUID | None:
    """Return the id of the command that `caller` sent with `key`."""
    return uuid5(NAMESPACE, f"{caller.token_id}|{key}") if key is not None else None
