"""When the visitor is on call, in all schedules, and the swaps they are asked for."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.actions import new_draft
from services.projections.web.api_client import ApiClient, names_of
from services.projections.web.on_call.screen import (
    OPEN,
    changes_of,
    done_in,
    people_of_changes,
    shifts_of,
)
from services.projections.web.on_call.views import (
    Entry,
    entries,
    form_query,
    own,
    people_in,
)
from services.projections.web.people.visitor import visitor_of
from services.projections.web.rendering import page
from services.projections.web.screens import screen
from shared.domain.policy.clause import PERSON
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PERSON_ID = re.compile(PERSON)
AHEAD_DAYS = 60
PART = timedelta(days=15)
"""What is asked for at once: an answer of the API has a limited number of shifts."""
SCHEDULES_MAX = 20
"""The schedules of the visitor's teams whose changes and other roles are looked at."""


@router.get("/on-call/mine")
async def get_own_shifts(request: Request) -> Response:
    """Show when the visitor is on call, in all schedules."""
    return await screen(request, own_screen)


async def own_screen(
    request: Request, client: ApiClient, why: str = "", status: int = 200
) -> Response:
    """Return the screen of one's own shifts; `why` says what was refused."""
    now: datetime = request.app.state.desk.clock()
    visitor, oncall = await asyncio.gather(
        visitor_of(client), client.get("/v1/oncall", {})
    )
    me = visitor.person
    used = _schedules(oncall, me)
    found, changes, absences = await asyncio.gather(
        _shifts(client, used, now),
        asyncio.gather(*(changes_of(client, each["schedule"]) for each in used)),
        _absences(client, me),
    )
    swaps, shifts = _requests(used, changes, me), own(found, me)
    zones = {each["schedule"]: each["timezone"] for each in oncall["items"]}
    people = {*people_in(shifts), *people_of_changes(change for _, change in swaps)}
    return page(
        "on_call_mine.html",
        language_of(request),
        status,
        shifts=[(each, each.begins <= now, _query(each, zones)) for each in shifts],
        swaps=swaps,
        away=[each for each in absences if each["state"] in OPEN],
        days=AHEAD_DAYS,
        names=await names_of(client, people),
        zone=visitor.zone,
        may_command=visitor.may_command,
        csrf=new_draft(request).csrf,
        why=why,
        done=done_in(request),
        place="/on-call/mine",
        **visitor.head,
    )


def _requests(
    used: Sequence[Mapping[str, Any]],
    changes: Iterable[Sequence[Mapping[str, Any]]],
    me: str,
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the swaps that await an answer of the visitor, or of their colleague."""
    return [
        (each["schedule"], change)
        for each, listed in zip(used, changes, strict=True)
        for change in listed
        if change["state"] == "requested" and me in (change["person"], change["other"])
    ]


def _query(shift: Entry, zones: Mapping[str, str]) -> str:
    """Return the query that fills in the form of a swap."""
    return form_query(zones[shift.schedule], shift.begins, shift.ends, shift.role)


async def _absences(client: ApiClient, me: str) -> Sequence[Mapping[str, Any]]:
    """Return the absences of the visitor; none for a machine, which has none."""
    if PERSON_ID.fullmatch(me) is None:
        return ()
    found = await client.get(f"/v1/people/{me}/absences", {})
    items: Sequence[Mapping[str, Any]] = found["items"]
    return items


def _schedules(oncall: Mapping[str, Any], me: str) -> Sequence[Mapping[str, Any]]:
    """Return the schedules of the teams of somebody."""
    names = {each["schedule"] for each in oncall["teams"] if me in each["members"]}
    return [each for each in oncall["items"] if each["schedule"] in names][
        :SCHEDULES_MAX
    ]


async def _shifts(
    client: ApiClient, used: Iterable[Mapping[str, Any]], now: datetime
) -> Sequence[Entry]:
    """Return the shifts of all schedules as primary, of some also in other roles."""
    first = now.date()
    span = first, first + timedelta(days=AHEAD_DAYS)
    starts = [now + timedelta(days=each) for each in range(0, AHEAD_DAYS, PART.days)]
    parts = await asyncio.gather(
        *(_primary(client, each, each + PART) for each in starts),
        *(
            _of_role(client, each["schedule"], duty["role"], span, now)
            for each in used
            for duty in each["by_role"]
            if duty["role"] != "primary"
        ),
    )
    return [entry for part in parts for entry in part]


async def _of_role(
    client: ApiClient, schedule: str, role: str, span: tuple[date, date], now: datetime
) -> Sequence[Entry]:
    found = await shifts_of(client, schedule, role, span)
    return [each for each in found if each.ends > now]


async def _primary(
    client: ApiClient, since: datetime, until: datetime
) -> Sequence[Entry]:
    asked = {"since": since.isoformat(), "until": until.isoformat()}
    found = await client.get("/v1/oncall", asked)
    return [
        entry for item in found["items"] for entry in entries(item, item["schedule"])
    ]
