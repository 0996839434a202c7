"""Credentials of others: tokens, invitations, and the break-glass account.

They are looked at in a review and can be ended there. Nobody sees a secret: only its
hash is stored.
"""

from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import Admin, Anybody
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import QueryParams
from services.projections.api.sessions.views import Revoked
from services.projections.snapshots import snapshot
from shared.http.bearer import require_scope
from shared.http.problem_details import HttpError
from shared.security.access import Caller, revoke_one
from shared.security.sender import GIVERS, REVIEWERS
from shared.security.sessions import living_sessions
from shared.security.sign_in_links import Link, links, revoke_links

router = APIRouter(tags=["people"])

_Id = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", description="An id of the list.")]
_PERSON = "person:"
_log = structlog.get_logger(__name__)


class LinkView(Answer):
    """A link or a code that signs one person in, once."""

    id: str
    person: str
    note: str
    """Who invited them; where a break-glass code is kept."""
    created_at: AwareDatetime
    expires_at: AwareDatetime
    used_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class Invitations(Answer):
    """Invitations, the newest first; at most 200."""

    items: list[LinkView]


class EmergencySession(Answer):
    """A session that a break-glass code began, and that has not ended."""

    id: str
    person: str
    device: str
    created_at: AwareDatetime
    expires_at: AwareDatetime


class BreakGlass(Answer):
    """The state of the break-glass account."""

    items: list[LinkView]
    """Its codes, the newest first."""
    sessions: list[EmergencySession]
    """Who is signed in with one now: an alarm."""


@router.delete("/v1/tokens/{token}", responses=refusals(404))
async def revoke_token(token: _Id, desk: DeskHere, caller: Admin) -> Revoked:
    """Revoke a token for good: it changes nothing from then on.

    Running services may answer what it reads for 5 more seconds. The sessions that
    began with it end, too.
    """
    return await desk.blocking(_revoke_token, desk, caller, token)


@router.get("/v1/invitations", responses=refusals())
async def get_invitations(
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: Anybody,
) -> Invitations:
    """List invitations; somebody whose rights are limited sees their own ones."""
    require_scope(caller, *GIVERS, limited=True)
    return await desk.blocking(_invitations, desk, caller)


@router.delete("/v1/invitations/{invitation}", responses=refusals(404))
async def revoke_invitation(
    invitation: _Id, desk: DeskHere, caller: Anybody
) -> Revoked:
    """Revoke an invitation that was not used; the role of the person stays."""
    require_scope(caller, *GIVERS, limited=True)
    return await desk.blocking(_revoke_invitation, desk, caller, invitation)


@router.get("/v1/break-glass", responses=refusals())
async def get_break_glass(
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: Anybody,
) -> BreakGlass:
    """Show the codes of the break-glass account, and whether one is in use."""
    require_scope(caller, *REVIEWERS)
    return await desk.blocking(_break_glass, desk)


def _revoke_token(desk: Desk, caller: Caller, token: str) -> Revoked:
    with desk.log.transaction() as cursor:
        revoked = revoke_one(cursor, token, desk.clock())
    if not revoked:
        raise HttpError(
            404,
            "no such token, or it was revoked before: look at GET /v1/rights",
            code="unknown_token",
        )
    desk.access.forget_sessions()
    _log.info("token.revoked", by=caller.actor, token=token)
    return Revoked(revoked=1)


def _invitations(desk: Desk, caller: Caller) -> Invitations:
    with snapshot(desk.log) as cursor:
        found = links(cursor, "invitation", label=_whose(caller))
    return Invitations(items=[_view(each) for each in found])


def _whose(caller: Caller) -> str | None:
    """Return whose invitations a caller sees; None: everybody's."""
    return None if caller.limits_of(*GIVERS) is None else caller.actor


def _revoke_invitation(desk: Desk, caller: Caller, invitation: str) -> Revoked:
    now = desk.clock()
    with desk.log.transaction() as cursor:
        whose = _whose(caller)
        found = links(cursor, "invitation", label=whose, link_id=invitation)
        revoked = found and revoke_links(
            cursor, now, ("invitation",), link_id=invitation
        )
    if not revoked:
        raise HttpError(
            404,
            "no such invitation, or it was used or revoked before: look at the list",
            code="unknown_invitation",
        )
    _log.info("invitation.revoked", by=caller.actor, invitation=invitation)
    return Revoked(revoked=1)


def _break_glass(desk: Desk) -> BreakGlass:
    now = desk.clock()
    with snapshot(desk.log) as cursor:
        codes = links(cursor, "break_glass")
        present = living_sessions(cursor, now)
    return BreakGlass(
        items=[_view(each) for each in codes],
        sessions=[
            EmergencySession(
                id=each.session_id,
                person=each.actor.removeprefix(_PERSON),
                device=each.device,
                created_at=each.created_at,
                expires_at=each.expires_at,
            )
            for each in present
            if each.method == "break_glass"
        ],
    )


def _view(link: Link) -> LinkView:
    return LinkView(
        id=link.link_id,
        person=link.actor.removeprefix(_PERSON),
        note=link.label.removeprefix(_PERSON),
        created_at=link.created_at,
        expires_at=link.expires_at,
        used_at=link.used_at,
        revoked_at=link.revoked_at,
    )
