"""Inbound mails: takes them, and lists the outcome of each."""

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.projections.api.answers import Answer, body_of, refusals, shown, tabular
from services.projections.api.callers import Anybody, Reader, may_look_people_up
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.intake.forwarding import passed_on
from services.projections.api.limits import MAIL_BYTES_MAX, PAGE_DEFAULT
from services.projections.api.query_params import Nothing, Position, TableQuery
from services.projections.snapshots import snapshot
from shared.domain.commands.contact import RetryLetter
from shared.domain.identifiers import IncidentRef
from shared.eventlog.log import EventLog
from shared.http.bodies import COMMAND_BYTES_MAX

router = APIRouter(tags=["contacts"])

MAILS_PAGE_MAX = 100
Verdict = Literal["opened", "attached", "automatic", "held", "unreadable", "answered"]
_MAIL = {
    "requestBody": {
        "required": True,
        "content": {"message/rfc822": {"schema": {"type": "string"}}},
    }
}
_LIST = """
SELECT letter_id, key, source, received_at, verdict, reason, incident, person,
       sender_confirmed, sealed
FROM intake.letters
WHERE (%(verdict)s::text IS NULL OR verdict = %(verdict)s)
  AND (NOT %(set_aside)s OR verdict IN ('automatic', 'held', 'unreadable'))
  AND (%(incident)s::text IS NULL OR incident = %(incident)s)
  AND (%(before)s::bigint = 0 OR letter_id < %(before)s)
ORDER BY letter_id DESC LIMIT %(limit)s
"""


class MailAnswer(Answer):
    """The outcome of a mail. The same mail gets the same answer again."""

    verdict: Verdict
    """`automatic`: not written by a person; `held`: too many in an hour; `unreadable`:
    without a sender. These three neither open nor answer anything."""
    repeated: bool
    incident: IncidentRef | None
    person: str | None
    known: bool | None
    """Whether the sender's identity is confirmed; null if it was not looked up."""
    note: str | None
    """Why it has this outcome, if that is not obvious."""
    letter: UUID


class MailQuery(Nothing):
    """The incident of a mail, if an agent chooses another one than the mail names."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    incident: IncidentRef | None = None
    """The mail is attached to it, and its sender becomes a reporter. Default: as the
    mail says."""


class MailsQuery(TableQuery):
    """Which mails to list."""

    verdict: Verdict | None = None
    set_aside: bool = False
    """Only mails without an effect: automatic, held or unreadable."""
    incident: IncidentRef | None = None
    before: Position = 0
    """Only older mails: `next_before` of the previous page."""
    limit: Annotated[int, Field(ge=1, le=MAILS_PAGE_MAX)] = PAGE_DEFAULT


class Attachment(Answer):
    """An attachment of a mail; its content is not stored."""

    name: str
    kind: str
    size: int


class MailView(Answer):
    """A mail and its outcome. Its text is gone once it was forgotten."""

    letter: UUID
    source: str
    received_at: AwareDatetime
    verdict: Verdict
    reason: str | None
    incident: IncidentRef | None
    person: str | None
    sender_confirmed: bool
    """Whether there is any proof that this person sent it."""
    sender: str | None
    """Its address; null for those who may not look people up."""
    subject: str | None
    words: str | None
    sent_at: AwareDatetime | None
    message_id: str | None
    attachments: list[Attachment]


class MailList(BaseModel):
    """Mails, the newest first."""

    items: list[MailView]
    next_before: int | None


@router.post(
    "/v1/contacts/mail",
    status_code=201,
    response_model=MailAnswer,
    responses={200: {"model": MailAnswer}, **refusals(413, 415)},
    openapi_extra=_MAIL,
)
async def take_mail(
    request: Request,
    desk: DeskHere,
    _: Anybody,  # intake says what each may do
    _query: Annotated[MailQuery, Query()],  # it is passed on
) -> Response:
    """Take a mail as it was received: it opens an incident or replies to one."""
    return await passed_on(request, desk, MAIL_BYTES_MAX)


@router.post(
    "/v1/letters/{letter}/retry",
    status_code=201,
    response_model=MailAnswer,
    responses={200: {"model": MailAnswer}, **refusals(400, 404, 409, 413)},
    openapi_extra=body_of(RetryLetter),
)
async def retry_letter(
    _letter: Annotated[UUID, Path(alias="letter")],  # it is passed on
    request: Request,
    desk: DeskHere,
    _: Anybody,  # intake says what each may do
) -> Response:
    """Process a mail that was set aside; the caller confirms having read it."""
    return await passed_on(request, desk, COMMAND_BYTES_MAX)


@router.get("/v1/letters", response_model=MailList, responses=tabular())
async def get_letters(
    request: Request,
    query: Annotated[MailsQuery, Query()],
    desk: DeskHere,
    caller: Reader,
) -> BaseModel | Response:
    """List mails from people and machines, with their outcome."""
    with_sender = may_look_people_up(caller)
    return shown(request, query, await desk.blocking(_mails, desk, query, with_sender))


def _mails(desk: Desk, query: MailsQuery, with_sender: bool) -> MailList:
    limits = query.model_dump(exclude={"min_position", "format"})
    with snapshot(desk.log) as cursor:
        rows = cursor.execute(_LIST, {**limits, "limit": query.limit + 1}).fetchall()
    shown = rows[: query.limit]
    return MailList(
        items=[_view(desk.log, row, with_sender) for row in shown],
        next_before=shown[-1][0] if len(rows) > query.limit else None,
    )


def _view(log: EventLog, row: tuple[Any, ...], with_sender: bool) -> MailView:
    _, key, source, received_at, verdict, reason, incident, person, sure, sealed = row
    opened = log.vault.open(sealed, f"letter|{key}")
    words: dict[str, Any] = orjson.loads(opened) if opened else {}
    return MailView(
        letter=key,
        source=source,
        received_at=received_at,
        verdict=verdict,
        reason=reason,
        incident=incident,
        person=person,
        sender_confirmed=sure,
        sender=(words.get("from") or None) if with_sender else None,
        subject=words.get("subject") or None,
        words=words.get("words"),
        sent_at=words.get("sent_at"),
        message_id=words.get("message_id"),
        attachments=words.get("attachments", []),
    )
