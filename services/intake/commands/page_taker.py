"""Takes an incident for somebody who answers a page outside the desk's screens.

It is two commands, as by the link in the page: the escalation service accepts, then
intake acknowledges. Escalation verifies the right of the person to do so, and that they
were paged at the level where the incident is.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

import nats.errors
from pydantic import ValidationError

from services.intake.commands.pending_command import PendingCommand
from shared.domain.commands.escalation import TakePage
from shared.domain.commands.incident import Acknowledge
from shared.eventlog.batcher import Batcher
from shared.http.problem_details import HttpError
from shared.messaging import subjects
from shared.messaging.commands import (
    Answered,
    CommandAnswer,
    CommandMessage,
    CommandRequest,
    Credential,
    ProblemDetails,
)
from shared.messaging.connection import Link
from shared.security.signed_links import PAGE_LINKS_PURPOSE, PageLink, token_of
from shared.vault.vault import Vault

ANSWER_SECONDS = 10.0
"""The timeout for the answer of the escalation service."""
_TRY_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
"""Statuses below 500 of an answer that may be another one later."""


class PageNotTaken(HttpError):
    """The escalation service could not say whether the incident is taken."""


@dataclass(frozen=True)
class PageTaker:
    """Has escalation accept an incident, and acknowledges it."""

    vault: Vault
    commands: Batcher[PendingCommand, Answered]
    link: Link

    async def take(
        self, page: PageLink, via: Literal["mail", "call"], id_: UUID
    ) -> bool:
        """Take the incident of a page in the name of its person; False if refused.

        Raises `PageNotTaken` without a decision, and another `HttpError` if it could
        not be acknowledged: to ask again with the same id is idempotent.
        """
        if not await self._accepted(page, via, id_):
            return False
        acknowledge = CommandRequest[Acknowledge](
            incident=page.incident,
            actor=f"person:{page.person}",
            scopes=(),
            command_id=id_,
            body=Acknowledge(),
        )
        try:
            await self.commands.submit(PendingCommand(acknowledge, id_.bytes))
        except HttpError as refusal:
            if not _stays_refused(refusal.details.status):
                raise
            # A colleague acknowledged or ended it in the meantime: it is answered.
        return True

    async def _accepted(
        self, page: PageLink, via: Literal["mail", "call"], id_: UUID
    ) -> bool:
        key, client = self.vault.key_for(PAGE_LINKS_PURPOSE), self.link.client
        if key is None or client is None:
            raise _later("the vault or the bus is away")
        message = CommandMessage[dict[str, Any]](
            incident=page.incident,
            credential=Credential(kind="page_link", secret=token_of(key, page)),
            idempotency_key=f"{via}.{id_}",
            body={"page": page.page, "via": via},
        )
        subject = subjects.command(TakePage.aggregate, TakePage.verb)
        data = message.model_dump_json().encode()
        try:
            answer = await client.request(subject, data, timeout=ANSWER_SECONDS)
        except (nats.errors.Error, TimeoutError) as error:
            raise _later("the escalation service does not answer") from error
        return _is_done(answer.data)


def _is_done(data: bytes) -> bool:
    try:
        CommandAnswer.model_validate_json(data)
    except ValidationError:
        no = _problem(data)
        if _stays_refused(no.status):
            return False
        raise PageNotTaken(
            no.status, no.detail, code=no.code, retry_after=no.retry_after
        ) from None
    return True


def _problem(data: bytes) -> ProblemDetails:
    try:
        return ProblemDetails.model_validate_json(data)
    except ValidationError as error:
        raise _later("the escalation service answers something else") from error


def _stays_refused(status: int) -> bool:
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _TRY_LATER


def _later(why: str) -> PageNotTaken:
    return PageNotTaken(503, f"{why}: send it again", code="owner_away", retry_after=1)
