"""What people changed of a schedule: overrides, swaps, temporary schedules, absences.

Everybody sees who is on call, and so the changes of a schedule. That somebody is absent
is shown to themselves and to those who manage them.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader, person_of
from services.projections.api.commands.on_call_paths import SchedulePath
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.endpoints import require_schedule
from services.projections.api.on_call.schedules import policy_now
from services.projections.api.query_params import PersonPath, QueryParams
from services.projections.generations import AsOf
from services.projections.snapshots import snapshot
from shared.domain.events.event import Actor
from shared.domain.events.on_call import ChangeId, OverrideKind
from shared.domain.on_call.schedule_changes import (
    Change,
    RecordedAbsence,
    RecordedOverride,
    RecordedSwap,
    RecordedTemporary,
    ScheduleChanges,
)
from shared.domain.policy.clause import Person
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role, group
from shared.http.problem_details import HttpError
from shared.on_call_changes import absences_of, changes_of
from shared.security.access import Caller
from shared.security.team_rights import manages, teams_of

router = APIRouter(tags=["on call"])

LIMIT = 100
LIMIT_MAX = 500

State = Literal[
    "planned", "current", "over", "withdrawn", "requested", "declined", "expired"
]


class ChangesQuery(QueryParams):
    """Which changes."""

    past: bool = False
    """Also those that are over, were withdrawn, declined, or expired."""
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT
    """How many, the newest first."""


class DatedPeople(Answer):
    """People who are on call in a period, half-open."""

    people: list[Person]
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime


class ChangeView(Answer):
    """A change, [from, to); what does not belong to its kind is null."""

    id: ChangeId
    kind: Literal["override", "swap", "temporary_schedule", "absence"]
    state: State
    """A swap is `requested` until the other accepts; then it is as the others."""
    by: Actor
    made_at: AwareDatetime
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    withdrawn_at: AwareDatetime | None
    role: Role | None = None
    override: OverrideKind | None = None
    add: Person | None = None
    """Of an override: who is put on call."""
    remove: Person | None = None
    """Of an override: who is taken off."""
    person: Person | None = None
    """Who asked for the swap, or is absent."""
    other: Person | None = None
    """Who is asked to take over."""
    other_from: AwareDatetime | None = None
    """With `other_to`: the period that is taken over in exchange."""
    other_to: AwareDatetime | None = None
    shifts: list[DatedPeople] | None = None
    """Of a temporary schedule."""


class ScheduleChangesView(Answer):
    """The changes of a schedule, the newest first."""

    schedule: str
    items: list[ChangeView]
    truncated: bool
    """Whether there are more than `limit`."""
    as_of: AsOf


class AbsencesView(Answer):
    """The absences of a person, the newest first."""

    person: Person
    items: list[ChangeView]
    truncated: bool
    """Whether there are more than `limit`."""
    as_of: AsOf


@router.get("/v1/oncall/{schedule}/changes", responses=refusals(404))
async def get_changes(
    schedule: SchedulePath,
    query: Annotated[ChangesQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> ScheduleChangesView:
    """List what people changed of a schedule, also if the policy has it no more.

    Absences of its people are listed for themselves and for their managers.
    """
    return await desk.blocking(_changes, desk, schedule, query, caller)


@router.get("/v1/people/{person}/absences", responses=refusals(404))
async def get_absences(
    person: PersonPath,
    query: Annotated[ChangesQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> AbsencesView:
    """List the absences of a person, for themselves and for their managers."""
    return await desk.blocking(_absences, desk, person, query, caller)


def _changes(
    desk: Desk, schedule: str, query: ChangesQuery, caller: Caller
) -> ScheduleChangesView:
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, query.min_position)
        changes = changes_of(cursor, schedule, upto.position)
        if changes.is_empty:
            require_schedule(policy, schedule)
        people = [
            person
            for person in _people(policy, schedule)
            if _may_see_absences(policy, caller, person)
        ]
        absences = absences_of(cursor, people, upto.position) if people else ()
    found = _shown([*_all(changes), *absences], query, desk.clock())
    return ScheduleChangesView(
        schedule=schedule,
        items=found[: query.limit],
        truncated=len(found) > query.limit,
        as_of=upto,
    )


def _absences(
    desk: Desk, person: str, query: ChangesQuery, caller: Caller
) -> AbsencesView:
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, query.min_position)
        if not _may_see_absences(policy, caller, person):
            raise HttpError(
                403,
                "people see their own absences: ask a manager of their team",
                code="role",
            )
        absences = absences_of(cursor, [person], upto.position)
    found = _shown(absences, query, desk.clock())
    return AbsencesView(
        person=person,
        items=found[: query.limit],
        truncated=len(found) > query.limit,
        as_of=upto,
    )


def _may_see_absences(policy: Policy, caller: Caller, person: str) -> bool:
    rights = {scope: caller.limits_of(scope) for scope in caller.scopes}
    me = person_of(caller)
    return me == person or manages(policy, me or "", rights, teams_of(policy, person))


def _people(policy: Policy, schedule: str) -> frozenset[str]:
    held = policy.schedules.get(schedule)
    layers = held.all_layers() if held else ()
    return frozenset(
        person
        for layer in layers
        for participant in layer.rotation.participants
        for person in group(participant)
    )


def _all(changes: ScheduleChanges) -> Iterator[Change]:
    yield from changes.overrides.values()
    yield from changes.swaps.values()
    yield from changes.temporary.values()


def _shown(
    changes: Iterable[Change], query: ChangesQuery, at: datetime
) -> list[ChangeView]:
    views = (_view(each, at) for each in changes)
    shown = [
        each
        for each in views
        if query.past or each.state in {"planned", "current", "requested"}
    ]
    return sorted(shown, key=lambda each: (each.made_at, each.id), reverse=True)


def _view(change: Change, at: datetime) -> ChangeView:
    view = ChangeView(
        id=change.id,
        kind="absence",
        state=_state(change, at),
        by=change.by,
        made_at=change.made_at,
        from_=change.start,
        to=change.end,
        withdrawn_at=change.withdrawn_at,
    )
    match change:
        case RecordedAbsence(person=person):
            more: dict[str, object] = {"person": person}
        case RecordedOverride():
            more = {
                "kind": "override",
                "override": change.kind,
                "add": change.add,
                "remove": change.remove,
                "role": change.role,
            }
        case RecordedSwap():
            more = {
                "kind": "swap",
                "person": change.person,
                "other": change.other,
                "other_from": change.other_start,
                "other_to": change.other_end,
                "role": change.role,
            }
        case RecordedTemporary(shifts=shifts):
            dated = [
                DatedPeople(people=list(each.people), from_=each.start, to=each.end)
                for each in shifts
            ]
            more = {"kind": "temporary_schedule", "shifts": dated}
        case _:
            more = {}
    return view.model_copy(update=more)


def _state(change: Change, at: datetime) -> State:
    if isinstance(change, RecordedSwap):
        state = change.state(at)
        if state != "accepted":
            return state
    if change.withdrawn_at is not None:
        return "withdrawn"
    if at < change.start:
        return "planned"
    return "current" if at < change.until else "over"
