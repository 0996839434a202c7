"""Answers by a link in a mail: shows the question and takes the answer, no account.

A GET changes nothing, so a mail scanner that opens links cannot answer.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import history, known
from services.projections.api.query_params import Nothing, PreferredLanguage
from services.projections.history.history import wording
from services.projections.log_queries import policy_in_force
from services.projections.reads.middleware import name_reader
from services.projections.sight import EVERYTHING
from services.projections.snapshots import snapshot
from shared.directory import person as person_named
from shared.domain.commands.sla import AcceptExtension, RefuseExtension
from shared.domain.identifiers import ExtensionRef, IncidentRef, extended_incident
from shared.domain.sla import Extension
from shared.http.bodies import read_object, validated
from shared.http.form_limits import address_of
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.i18n.formats import instant_text, language_of
from shared.messaging.commands import CommandAnswer, CommandMessage, Credential
from shared.security.rights import is_removed
from shared.security.signed_links import PURPOSE, TOKEN_MAX, AnswerLink, read_token

router = APIRouter(tags=["answers by link"])

Token = Annotated[
    str, Path(max_length=TOKEN_MAX, description="The end of the address in the mail.")
]


class AnswerByLink(BaseModel):
    """The answer of a person by the link they were sent."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    answer: Literal["accept", "refuse"]


class LinkQuery(Answer):
    """The question to a person, in their language and time zone."""

    incident: IncidentRef
    extension: ExtensionRef
    title: str
    why: str
    state: Literal["proposed", "accepted", "refused", "expired"]
    language: Language
    new_due_at: AwareDatetime
    new_due_text: str
    was_due_text: str | None
    answer_by_text: str


@dataclass(frozen=True)
class _Reader:
    language: Language
    zone: str


@router.get("/v1/answers/{token}", responses=refusals(404))
async def see_question(
    token: Token,
    _asked: Annotated[Nothing, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    request: Request,
) -> LinkQuery:
    """Show the question behind a link in a mail; this does not answer it."""
    link = _link(desk, token)
    ref = extended_incident(link.extension)
    name_reader(request, f"person:{link.person}", ref)
    return await desk.blocking(_seen, desk, link, liked)


@router.post(
    "/v1/answers/{token}",
    responses=refusals(400, 404, 409, 413, 415),
    openapi_extra=body_of(AnswerByLink),
)
async def answer_question(
    token: Token, request: Request, desk: DeskHere
) -> CommandAnswer:
    """Answer the question behind a link in a mail, as the person it was sent to."""
    desk.answer_limits.admit(address_of(request, desk.trusted_proxies))
    link = _link(desk, token)
    body = validated(AnswerByLink, await read_object(request), "answer")
    verb = AcceptExtension.verb if body.answer == "accept" else RefuseExtension.verb
    message = CommandMessage[dict[str, Any]](
        incident=extended_incident(link.extension),
        record=link.extension,
        credential=Credential(kind="answer_link", secret=token),
        body={"channel": "web"},
    )
    return await desk.owner.ask(AcceptExtension.aggregate, verb, message, CommandAnswer)


def _link(desk: Desk, token: str) -> AnswerLink:
    link = read_token(desk.log.vault.keys_for(PURPOSE), token)
    if link is None:
        raise HttpError(
            404,
            "this link is not whole: open it from the mail, or answer the mail",
            code="unknown_link",
        )
    return link


def _seen(desk: Desk, link: AnswerLink, liked: Language) -> LinkQuery:
    ref = extended_incident(link.extension)
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, 0)
        past = history(desk.log, cursor, ref, upto, EVERYTHING)
        who = person_named(cursor, link.person)
        has_left = is_removed(cursor, link.person)
        policy = policy_in_force(desk.log, cursor)
    incident, clocks = past.state.incident, past.state.clocks
    proposed = [each for clock in clocks for each in clock.extensions]
    extension = next((each for each in proposed if each.ref == link.extension), None)
    if incident is None or extension is None or has_left:
        raise HttpError(404, "nothing is asked here any more", code="unknown_link")
    zone = (who.zone if who else None) or (policy.desk.timezone if policy else "UTC")
    reader = _Reader(language_of(who.language if who else None, liked), zone)
    why = wording(past.entries).reasons.get(extension.ref, "")
    return _view(ref, incident.title, why, extension, reader, desk.clock())


def _view(  # each is a part of it
    ref: str,
    title: str,
    why: str,
    extension: Extension,
    reader: _Reader,
    now: datetime,
) -> LinkQuery:
    over = extension.is_open and extension.expires_at <= now

    def text(at: datetime) -> str:
        return instant_text(at, reader.zone, reader.language)

    return LinkQuery(
        incident=ref,
        extension=extension.ref,
        title=title,
        why=why,
        state="expired" if over else extension.state,
        language=reader.language,
        new_due_at=extension.proposed_due_at,
        new_due_text=text(extension.proposed_due_at),
        was_due_text=text(extension.was_due_at) if extension.was_due_at else None,
        answer_by_text=text(extension.expires_at),
    )
