"""The calendar of a schedule: what it asks of the API, and what it is filled with.

It is shown for a GET, and again if a change could not be withdrawn.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.actions import new_draft
from services.projections.web.api_client import ApiClient, names_of
from services.projections.web.on_call.actions import CHANGES
from services.projections.web.on_call.period import Period, period_in
from services.projections.web.on_call.views import (
    Entry,
    absences,
    calendar,
    entries,
    form_query,
    people_in,
)
from services.projections.web.people.visitor import Visitor, visitor_of
from services.projections.web.rendering import page
from shared.web.language import language_of

OPEN = ("requested", "planned", "current")
"""The states of changes that are listed: those that can still be withdrawn."""
CHANGES_MAX = 500
DONE = frozenset(
    (
        *(f"on_call_{each.verb}" for each in CHANGES),
        "on_call_accept",
        "on_call_add_absence",
        "on_call_decline",
        "on_call_import_shifts",
        "on_call_page_test",
        "on_call_withdraw",
    )
)
_PEOPLE = ("add", "remove", "person", "other")


async def calendar_screen(
    schedule: str,
    request: Request,
    client: ApiClient,
    why: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    """Return the calendar of a schedule; `why` says what was refused."""
    given = request.query_params
    visitor, now = await asyncio.gather(
        visitor_of(client), client.get("/v1/oncall", {"schedule": schedule})
    )
    (item,) = now["items"]
    duties, zone = item["by_role"], item["timezone"]
    today = request.app.state.desk.clock().astimezone(ZoneInfo(zone)).date()
    period = period_in(given.get("from", ""), given.get("weeks", ""), today)
    wanted = [each for each in duties if each["role"] == given.get("role")]
    duty = (wanted or duties)[0]
    found, changes = await asyncio.gather(
        shifts_of(client, schedule, duty["role"], (period.first, period.end)),
        changes_of(client, schedule),
    )
    return page(
        "on_call_calendar.html",
        language_of(request),
        status,
        schedule=schedule,
        duty=duty,
        roles=[each["role"] for each in duties],
        zone=zone,
        today=today,
        why=why,
        csrf=new_draft(request).csrf,
        done=done_in(request),
        **_address(schedule, period, duty["role"]),
        **_days(found, changes, period, zone),
        **_periods(period, today),
        **await _named(client, found, changes, duty),
        **_of_visitor(visitor),
    )


def done_in(request: Request) -> str:
    """Return what an address says was done; empty if the desk has no text for it."""
    done = request.query_params.get("done", "")
    return done if done in DONE else ""


def _address(schedule: str, period: Period, role: str) -> Mapping[str, str]:
    """Return the address of the calendar, which its languages lead back to."""
    query = {"from": period.first, "weeks": period.weeks, "role": role}
    place = f"/on-call/{quote(schedule, safe='')}"
    return {"place": place, "query": urlencode(query)}


async def shifts_of(
    client: ApiClient, schedule: str, role: str, span: tuple[date, date]
) -> Sequence[Entry]:
    """Return the shifts and gaps of a schedule between the midnights of two days."""
    since, until = span
    asked = {"from": str(since), "to": str(until), "role": role}
    found = await client.get(f"/v1/oncall/{quote(schedule, safe='')}/shifts", asked)
    return entries(found, schedule, role)


async def changes_of(client: ApiClient, schedule: str) -> Sequence[Mapping[str, Any]]:
    """Return what people changed of a schedule, the newest first."""
    asked = {"past": "true", "limit": str(CHANGES_MAX)}
    place = f"/v1/oncall/{quote(schedule, safe='')}/changes"
    items: Sequence[Mapping[str, Any]] = (await client.get(place, asked))["items"]
    return items


def people_of_changes(changes: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of everybody whom changes name."""
    named = {each[name] for each in changes for name in _PEOPLE if each[name]}
    shifts = (shift for each in changes for shift in each["shifts"] or ())
    return named | {person for shift in shifts for person in shift["people"]}


def _days(
    found: Sequence[Entry],
    changes: Sequence[Mapping[str, Any]],
    period: Period,
    zone: str,
) -> Mapping[str, object]:
    return {
        "weeks": calendar(found, period, zone, absences(changes)),
        "gaps": [
            (each, form_query(zone, each.begins, each.ends, each.role))
            for each in found
            if not each.people and each.required
        ],
        "changes": {each["id"]: each for each in changes},
        "listed": [each for each in changes if each["state"] in OPEN],
        "verbs": [each.verb for each in CHANGES],
    }


def _periods(period: Period, today: date) -> Mapping[str, object]:
    """Return the period, and those to which it leads, by the names of their links."""
    middle = period.month or period.first
    periods = {
        "previous": period.previous,
        "today": Period.around(today, period.weeks),
        "following": period.following,
        "week": Period.around(middle, 1),
        "month": Period.of_month(middle),
    }
    return {"period": period, "periods": periods}


async def _named(
    client: ApiClient,
    found: Sequence[Entry],
    changes: Sequence[Mapping[str, Any]],
    duty: Mapping[str, Any],
) -> Mapping[str, object]:
    ids = {*people_in(found), *people_of_changes(changes), *duty["people"]}
    return {"names": await names_of(client, ids)}


def _of_visitor(visitor: Visitor) -> Mapping[str, Any]:
    return {
        "own_zone": visitor.zone,
        "may_command": visitor.may_command,
        "may_give": visitor.may_give,
        **visitor.head,
    }
