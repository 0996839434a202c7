"""The page of a user by the link in their mails: read it, and act on the incident.

A GET changes nothing, so a mail scanner that opens links does nothing. Every act is a
command with the link as its credential: the owner of the stream verifies it again.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.projections.api.answers import PRIVATE, body_of, refusals
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import history, known
from services.projections.api.query_params import Nothing, PreferredLanguage
from services.projections.api.user_page.schemas import UserAct, UserPage
from services.projections.api.user_page.views import (
    UserReader,
    causes,
    is_back,
    user_page,
)
from services.projections.log_queries import policy_in_force
from services.projections.reads.middleware import name_reader
from services.projections.sight import EVERYTHING
from services.projections.snapshots import snapshot
from shared.directory import person as person_named
from shared.domain.commands.incident import Attach, Close, Relapse, Reopen
from shared.domain.commands.sla import AcceptExtension, RefuseExtension
from shared.domain.incident import Incident
from shared.eventlog.histories import readable
from shared.http.bodies import read_object, validated
from shared.http.form_limits import address_of
from shared.i18n.catalog import Language
from shared.i18n.formats import language_of
from shared.messaging.commands import CommandAnswer, CommandMessage, Credential
from shared.security.signed_links import TOKEN_MAX, USER_LINKS_PURPOSE, UserLink
from shared.security.user_links import followed, read_link

router = APIRouter(tags=["user pages"])

Token = Annotated[
    str, Path(max_length=TOKEN_MAX, description="The end of the address in the mail.")
]
_Command = tuple[str, str, CommandMessage[dict[str, Any]]]
"""An aggregate, a verb, and the message for the owner."""


@router.get("/v1/user-pages/{token}", responses=refusals(404, 429))
async def see_user_page(
    token: Token,
    _asked: Annotated[Nothing, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    request: Request,
    response: Response,
) -> UserPage:
    """Show an incident to the user to whom the link was sent; this changes nothing."""
    link = _link(desk, token)
    desk.user_limits.read(link.incident, link.person)
    name_reader(request, f"person:{link.person}", link.incident)
    response.headers.update(PRIVATE)
    return await desk.blocking(_seen, desk, link, liked)


@router.post(
    "/v1/user-pages/{token}",
    responses=refusals(400, 404, 409, 413, 415, 429),
    openapi_extra=body_of(UserAct),
)
async def act_as_user(
    token: Token, request: Request, desk: DeskHere, response: Response
) -> CommandAnswer:
    """Act on the incident as the user to whom the link was sent."""
    link = _link(desk, token)
    address = address_of(request, desk.trusted_proxies)
    desk.user_limits.act(link.incident, link.person, address)
    act = validated(UserAct, await read_object(request), "act")
    incident = await desk.blocking(_today, desk, link)
    answers = [
        await desk.owner.ask(aggregate, verb, message, CommandAnswer)
        for aggregate, verb, message in _commands(act, incident, link.person, token)
    ]
    response.headers.update(PRIVATE)
    return answers[-1]


def _link(desk: Desk, token: str) -> UserLink:
    keys = desk.log.vault.keys_for(USER_LINKS_PURPOSE)
    return read_link(keys, token, desk.clock())


def _today(desk: Desk, link: UserLink) -> Incident:
    with snapshot(desk.log) as cursor:
        return followed(desk.log, cursor, link)


def _commands(
    act: UserAct, incident: Incident, person: str, token: str
) -> Iterator[_Command]:
    """Yield the commands of an act: first what the user says, then what follows.

    "Not solved" before the desk resolved it means that service is down again: the
    promise to restore it runs on.
    """
    ref = incident.ref
    credential = Credential(kind="user_link", secret=token)
    said = CommandMessage[dict[str, Any]](
        incident=ref,
        credential=credential,
        idempotency_key=f"{act.key}.words",
        body={"person": person, "channel": "web", "words": act.words},
    )
    done = CommandMessage[dict[str, Any]](
        incident=ref,
        record=act.extension,
        credential=credential,
        idempotency_key=f"{act.key}.{act.action}",
        body={},
    )
    if act.words is not None:
        yield "incident", Attach.verb, said
    match act.action:
        case "words":
            pass
        case "solved":
            yield "incident", Close.verb, done
        case "not_solved" if is_back(incident):
            yield "incident", Relapse.verb, done
        case "not_solved":
            again = done.model_copy(update={"body": {"cause": "user"}})
            yield "incident", Reopen.verb, again
        case "accept" | "refuse":
            kind = AcceptExtension if act.action == "accept" else RefuseExtension
            answered = done.model_copy(update={"body": {"channel": "web"}})
            yield kind.aggregate, kind.verb, answered


def _seen(desk: Desk, link: UserLink, liked: Language) -> UserPage:
    with snapshot(desk.log) as cursor:
        incident = followed(desk.log, cursor, link)
        upto = known(cursor, None, 0)
        pasts = {
            ref: history(desk.log, cursor, ref, upto, EVERYTHING)
            for ref in (link.incident, incident.ref)
        }
        past = [entry for each in pasts.values() for entry in each.entries]
        had = {entry.stream for entry in past}
        others = {stream for stream, _ in causes(past, link.person)} - had
        beside = readable(desk.log, cursor, sorted(others), upto.position)
        past += chain.from_iterable(beside.values())
        who = person_named(cursor, link.person)
        policy = policy_in_force(desk.log, cursor)
    reader = UserReader(
        link.person,
        language_of(who.language if who else None, liked),
        (who.zone if who else None) or (policy.desk.timezone if policy else "UTC"),
    )
    clocks = pasts[incident.ref].state.clocks
    page = user_page(incident, past, clocks, reader, desk.clock(), link.incident)
    incomplete = any(each.unreadable for each in pasts.values())
    return page.model_copy(update={"incomplete": incomplete})
