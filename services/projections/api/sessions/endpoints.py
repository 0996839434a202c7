"""Begins, lists and ends sessions."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, TypeGuard
from uuid import (
    uuid4,  # noqa: TID251 # a request of the same words is another one
    uuid5,
)

import structlog
from fastapi import APIRouter, Path, Query, Request

from services.projections.api.answers import body_of, refusals
from services.projections.api.callers import Admin, Anybody, ClientReader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import QueryParams
from services.projections.api.sessions.views import (
    LinkRequested,
    MailedLink,
    Revoked,
    Sessions,
    SessionView,
    SignedIn,
    SignIn,
)
from shared.database.cursors import Cursors
from shared.domain.policy.clause import Person
from shared.http.bearer import require_scope
from shared.http.bodies import read_object, validated
from shared.http.form_limits import address_of
from shared.http.problem_details import HttpError
from shared.security.access import Caller, is_token
from shared.security.break_glass import EMERGENCY
from shared.security.mail_requests import request_alarm, request_link
from shared.security.rights import is_removed, roles_of
from shared.security.seals import NoVault
from shared.security.sender import NAMESPACE, READERS, seal_keys_of
from shared.security.sessions import (
    Start,
    begin_session,
    living_sessions,
    revoke_sessions,
    rights_at,
    session_id_of,
)
from shared.security.sign_in_links import use_up

router = APIRouter(tags=["sessions"])

CURRENT = "current"
SessionId = Annotated[
    str, Path(pattern=r"^([0-9a-f]{12}|current)$", description="An id of the list.")
]
_log = structlog.get_logger(__name__)


class SessionsQuery(QueryParams):
    """Whose sessions to list."""

    person: Person | None = None
    """An id of the directory. Default: everybody."""


@router.post(
    "/v1/sessions",
    status_code=201,
    responses=refusals(400, 409, 413, 415),
    openapi_extra=body_of(SignIn),
)
async def begin(request: Request, desk: DeskHere) -> SignedIn:
    """Sign in with a token, or use a link or a break-glass code up; begin a session."""
    desk.sign_in_limits.admit(address_of(request, desk.trusted_proxies))
    body = validated(SignIn, await read_object(request), "sign-in")
    return await desk.blocking(_begin, desk, body)


@router.post(
    "/v1/sign-in/mail",
    status_code=202,
    responses=refusals(400, 404, 413, 415),
    openapi_extra=body_of(MailedLink),
)
async def mail_link(request: Request, desk: DeskHere) -> LinkRequested:
    """Ask for a link by mail. The answer is the same whether anybody has the address.

    Who has it and may sign in is sent a link, three an hour at most.
    """
    if not desk.mails_links:
        raise HttpError(
            404, "this desk mails no links: use another way", code="no_mail"
        )
    desk.sign_in_limits.admit(address_of(request, desk.trusted_proxies))
    body = validated(MailedLink, await read_object(request), "request")
    if desk.mail_limits.has_room(body.email.lower()):
        await desk.blocking(_mail, desk, body.email)
    return LinkRequested()


@router.get("/v1/me/sessions", responses=refusals())
async def get_own(
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: ClientReader,
) -> Sessions:
    """List the caller's own sessions."""
    return await desk.blocking(_listed, desk, caller, caller.actor)


@router.delete("/v1/me/sessions", responses=refusals())
async def end_others(desk: DeskHere, caller: ClientReader) -> Revoked:
    """End all of the caller's sessions except the one of this request."""
    return await desk.blocking(_end, desk, caller, None, caller.actor)


@router.delete("/v1/me/sessions/{session}", responses=refusals(404))
async def end_own(session: SessionId, desk: DeskHere, caller: Anybody) -> Revoked:
    """End one of the caller's sessions; `current` is that of this request."""
    named = caller.session_id or "" if session == CURRENT else session
    return await desk.blocking(_end, desk, caller, named, caller.actor)


@router.get("/v1/sessions", responses=refusals())
async def get_all(
    query: Annotated[SessionsQuery, Query()], desk: DeskHere, caller: Admin
) -> Sessions:
    """List the sessions of everybody, or of one person."""
    actor = f"person:{query.person}" if query.person else None
    return await desk.blocking(_listed, desk, caller, actor)


@router.delete("/v1/sessions/{session}", responses=refusals(404))
async def end_anybodys(session: SessionId, desk: DeskHere, caller: Admin) -> Revoked:
    """End a session of anybody."""
    named = caller.session_id or "" if session == CURRENT else session
    return await desk.blocking(_end, desk, caller, named, None)


def _begin(desk: Desk, body: SignIn) -> SignedIn:
    now = desk.clock()
    caller = desk.access.verify(body.token) if _is_token(body.token) else None
    with desk.log.transaction() as cursor:
        start = _start(desk, cursor, body, caller, now)
        new = started(desk, cursor, start, now)
        if start.method == "break_glass":
            request = uuid5(NAMESPACE, new.session_id)
            request_alarm(cursor, request, new.session_id, start.label, now)
    if start.method == "break_glass":
        _log.error("break_glass.used", session=new.session_id, actor=start.actor)
    return new


def _mail(desk: Desk, email: str) -> None:
    with desk.log.transaction() as cursor:
        request_link(cursor, uuid4(), email, desk.clock())


def _is_token(written: str | None) -> TypeGuard[str]:
    """Return whether a text has the form of a token; a session begins no other one."""
    return written is not None and is_token(written) and session_id_of(written) is None


def _start(
    desk: Desk,
    cursor: Cursors,
    body: SignIn,
    caller: Caller | None,
    now: datetime,
) -> Start:
    lifetime = desk.session_lifetime
    if body.link is None:
        if caller is None:
            raise HttpError(
                401,
                "this token is unknown, expired or revoked: ask an admin for "
                "`permanence token create`",
                code="token",
            )
        require_scope(caller, *READERS, "client", limited=True)
        return Start(
            caller.actor,
            "token",
            caller.token_id,
            device=body.device,
            lifetime=lifetime,
        )
    found = use_up(cursor, seal_keys_of(desk.log), body.link, now)
    if found is None:
        raise HttpError(
            401,
            "this link or code is unknown, expired, or was used before: ask for a new "
            "one",
            code="link",
        )
    if found.method == "break_glass":
        lifetime = EMERGENCY
    return replace(found, device=body.device, lifetime=lifetime)


def started(desk: Desk, cursor: Cursors, start: Start, now: datetime) -> SignedIn:
    """Begin a session. `HttpError` 403 if the person may not read anything here."""
    scopes = roles_of(rights_at(cursor, start, now))
    has_left = is_removed(cursor, start.actor.removeprefix("person:"))
    if has_left or {*READERS, "client"}.isdisjoint(scopes):
        raise HttpError(
            403,
            f"{start.actor} may not read anything here: ask an admin for a right",
            code="no_rights",
        )
    try:
        new = begin_session(cursor, seal_keys_of(desk.log), now, start)
    except NoVault as error:
        raise HttpError(409, str(error), code="no_vault") from error
    desk.access.note_begun(new.session_id)
    return SignedIn(
        session=new.secret,
        session_id=new.session_id,
        actor=start.actor,
        method=start.method,
        expires_at=new.expires_at,
    )


def _listed(desk: Desk, caller: Caller, actor: str | None) -> Sessions:
    with desk.log.transaction() as cursor:
        found = living_sessions(cursor, desk.clock(), actor)
    return Sessions(
        items=[
            SessionView(
                id=each.session_id,
                actor=each.actor,
                method=each.method,
                device=each.device,
                created_at=each.created_at,
                last_used=each.last_used,
                expires_at=each.expires_at,
                current=each.session_id == caller.session_id,
            )
            for each in found
        ]
    )


def _end(desk: Desk, caller: Caller, session: str | None, actor: str | None) -> Revoked:
    with desk.log.transaction() as cursor:
        ended = revoke_sessions(
            cursor,
            desk.clock(),
            session_id=session,
            actor=actor,
            sparing=caller.session_id if session is None else None,
        )
    if session is not None and not ended:
        raise HttpError(
            404,
            "no such session, or it has ended: look at the list",
            code="unknown_session",
        )
    desk.access.forget_sessions()
    _log.info("session.ended", by=caller.actor, sessions=ended)
    return Revoked(revoked=ended)
