"""Shifts of a schedule from an iCalendar file: previewed, or imported as a whole.

The file is worked out here; the owner of the schedule decides about the shifts, as for
other changes of who is on call.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Annotated, NamedTuple, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Header, Request

from services.projections.api.answers import refusals
from services.projections.api.callers import (
    SomeCommander,
    Token,
    credential_of,
    person_of,
)
from services.projections.api.commands.messages import Message
from services.projections.api.commands.on_call_paths import SchedulePath
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.import_schemas import (
    BODY_BYTES_MAX,
    DESCRIBED,
    PERIOD_MAX,
    ImportBody,
    ShiftsImported,
    asked_for,
)
from services.projections.api.on_call.preview import (
    DIFFERENCES_MAX,
    DifferenceView,
    difference_view,
)
from services.projections.api.on_call.schedules import schedule_now
from services.projections.api.query_params import instant_of, require_order
from services.projections.log_queries import policy_in_force
from services.projections.shift_files.download import downloaded
from services.projections.shift_files.rules import (
    LISTED_MAX,
    FileShift,
    Unmatched,
    assigned,
    names_in,
)
from services.projections.snapshots import snapshot
from shared.directory import ids_by_identity
from shared.domain.commands.on_call import ImportShifts, OnCallAnswer, ShiftBody
from shared.domain.on_call import DatedShift, Roster, TemporarySchedule
from shared.domain.on_call.shifts import differences
from shared.domain.policy.schedules import Role
from shared.http.bodies import size_ahead
from shared.http.command_headers import CommandHeaders, idempotency_key, version
from shared.http.problem_details import HttpError
from shared.on_call_changes import changes_of, roster_of
from shared.security.access import Caller
from shared.security.team_rights import manages, teams_using

router = APIRouter(tags=["on call"])

NAMES_MAX = 500
"""The maximum number of different names in one file."""


class _Place(NamedTuple):
    """Where the shifts go, and the period in which they count."""

    zone: str
    start: datetime
    end: datetime


async def _asked(
    request: Request,
    desk: DeskHere,
    caller: SomeCommander,
) -> ImportBody:
    with desk.room.room_for(size_ahead(request.headers, BODY_BYTES_MAX), caller.actor):
        return await asked_for(request)


@router.post(
    "/v1/oncall/{schedule}/calendar",
    responses=refusals(400, 404, 409, 412, 413, 415),
    openapi_extra=DESCRIBED,
)
async def import_calendar(
    schedule: SchedulePath,
    asked: Annotated[ImportBody, Depends(_asked)],
    desk: DeskHere,
    caller: SomeCommander,
    token: Token,
    headers: Annotated[CommandHeaders, Header()],
) -> ShiftsImported:
    """Give a schedule the shifts of an iCalendar file, or show what that would change.

    All of them or none: the names in the file have to be people of the desk. They
    replace what was imported under the same name before, from now on.
    """
    place = await desk.blocking(_place, desk, schedule, asked, caller)
    found = await desk.shift_files.shifts(await _text(asked, desk), *place)
    shifts = await desk.blocking(_shifts, desk, asked, found)
    changed = await desk.blocking(_differences, desk, schedule, asked.name, shifts)
    command = ImportShifts(
        schedule=schedule,
        name=asked.name,
        start=place.start,
        end=place.end,
        shifts=tuple(shifts),
    )
    message = Message(
        credential=credential_of(token),
        idempotency_key=idempotency_key(headers.idempotency_key),
        if_match=version(headers.if_match),
        preview=asked.preview,
        body=command.model_dump(mode="json"),
    )
    answer = await desk.owner.ask(
        command.aggregate, command.verb, message, OnCallAnswer
    )
    return _answer(answer, shifts, changed)


async def _text(asked: ImportBody, desk: Desk) -> str:
    if asked.url is not None:
        return await downloaded(asked.url, desk.outbound_networks)
    return asked.text or ""


def _place(desk: Desk, schedule: str, asked: ImportBody, caller: Caller) -> _Place:
    """Return where the shifts go. Nothing is fetched or read for anybody else."""
    with snapshot(desk.log) as cursor:
        policy, _ = schedule_now(desk, cursor, schedule, 0)
    rights = {scope: caller.limits_of(scope) for scope in caller.scopes}
    me = person_of(caller) or ""
    if not manages(policy, me, rights, teams_using(policy, schedule)):
        raise HttpError(
            403,
            "managers of a team that uses the schedule import its shifts: ask one",
            code="role",
        )
    zone = policy.schedules[schedule].timezone
    start, end = (instant_of(each, ZoneInfo(zone)) for each in (asked.from_, asked.to))
    require_order(("from", "to"), start, end)
    if end - start > PERIOD_MAX:
        raise HttpError(
            422,
            f"these are more than {PERIOD_MAX.days} days: import fewer at a time",
            code="invalid",
        )
    return _Place(zone, start, end)


def _shifts(
    desk: Desk, asked: ImportBody, found: Sequence[FileShift]
) -> Sequence[ShiftBody]:
    if not found:
        raise HttpError(
            422,
            "no event in the file is between these days: choose others",
            code="no_shifts",
        )
    names = names_in(found)
    if len(names) > NAMES_MAX:
        raise HttpError(
            422,
            f"the file names more than {NAMES_MAX} people: choose fewer days",
            code="unusable_file",
        )
    with snapshot(desk.log) as cursor:
        people = ids_by_identity(cursor, names)
    shifts, unmatched = assigned(found, people, asked.people)
    if unmatched:
        raise _unmatched(unmatched)
    if not shifts:
        raise HttpError(422, "every name in the file is left out", code="no_shifts")
    return shifts


def _answer(
    answer: OnCallAnswer,
    shifts: Sequence[ShiftBody],
    changed: Sequence[DifferenceView],
) -> ShiftsImported:
    return ShiftsImported(
        outcome=answer.outcome,
        start=answer.start,
        end=answer.end,
        shifts=len(shifts),
        people=sorted({person for shift in shifts for person in shift.people}),
        differences=list(changed[:DIFFERENCES_MAX]),
        left_off=len(changed) > DIFFERENCES_MAX,
        warnings=answer.warnings,
        added=answer.added,
        withdrawn=answer.withdrawn,
        version=answer.version,
        positions=answer.positions,
    )


def _unmatched(found: Sequence[Unmatched]) -> HttpError:
    listed = ", ".join(each.sentence for each in found[:LISTED_MAX])
    more = f" and {len(found) - LISTED_MAX} more" if len(found) > LISTED_MAX else ""
    return HttpError(
        422,
        "these match the mail address or id of nobody: map each to a person, or to "
        f"nothing to leave it out: {listed}{more}",
        code="unmatched_names",
        errors=[
            {"loc": ["file", each.line], "msg": each.name, "type": "unmatched"}
            for each in found
        ],
    )


def _differences(
    desk: Desk, schedule: str, name: str, shifts: Sequence[ShiftBody]
) -> list[DifferenceView]:
    """Return what would differ from now on, in one more part than an answer has."""
    at = desk.clock()
    with snapshot(desk.log) as cursor:
        policy = policy_in_force(desk.log, cursor)
        if policy is None or schedule not in policy.schedules:
            return []
        before = roster_of(cursor, schedule, policy, since=at)
        replaced = [
            each
            for each in changes_of(cursor, schedule).temporary.values()
            if each.imported_as == name and each.until > at
        ]
    ends = [each.end for each in shifts] + [each.until for each in replaced]
    after = _after(before, {each.id for each in replaced}, shifts, at)
    found = (
        difference_view(schedule, each)
        for role in get_args(Role)
        for each in differences(before, after, at, max(at, *ends), role)
    )
    return list(islice(found, DIFFERENCES_MAX + 1))


def _after(
    before: Roster, replaced: set[str], shifts: Sequence[ShiftBody], at: datetime
) -> Roster:
    kept = tuple(each for each in before.temporary if each.id not in replaced)
    dated = tuple(DatedShift(each.people, each.start, each.end) for each in shifts)
    added = TemporarySchedule(at, max(each.end for each in shifts), dated)
    return replace(before, temporary=(*kept, added))
