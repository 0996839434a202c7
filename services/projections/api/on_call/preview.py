"""What would happen, without recording it: a change of who is on call, an incident.

The owner of a command decides it, so that the preview is refused as the command would
be; the shifts before and after are computed here. Escalation says who would be told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.callers import (
    SomeCommander,
    Token,
    credential_of,
    person_of,
)
from services.projections.api.commands.messages import Message, new_record
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import Nothing
from services.projections.log_queries import policy_in_force
from services.projections.snapshots import snapshot
from shared.domain.commands.escalation_preview import (
    EscalationPreview,
    PreviewEscalation,
)
from shared.domain.commands.on_call import (
    BODIES,
    AcceptSwap,
    AddAbsence,
    AddOverride,
    AddTemporarySchedule,
    OnCallAnswer,
    OnCallCommand,
    OnCallWarning,
    RequestSwap,
)
from shared.domain.on_call import (
    Absence,
    DatedShift,
    Override,
    Roster,
    TemporarySchedule,
)
from shared.domain.on_call.schedule_changes import RecordedSwap
from shared.domain.on_call.shifts import Difference, differences
from shared.domain.policy.clause import Person
from shared.domain.policy.schedules import Role
from shared.http.bodies import read_object, validated
from shared.on_call_changes import changes_of, rosters_of

router = APIRouter(tags=["on call"])

DIFFERENCES_MAX = 200
Verb = Literal[
    "add_override",
    "request_swap",
    "accept_swap",
    "add_temporary_schedule",
    "add_absence",
]
Period = tuple[datetime, datetime]


class PreviewBody(BaseModel):
    """A change to preview."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    verb: Verb
    body: dict[str, Any]
    """The body of the command, with the `schedule` or the `person` of its path."""


class DifferenceView(Answer):
    """Other people would be on call in a part of a schedule, half-open."""

    schedule: str
    role: Role
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    before: list[Person]
    """Who is on call now; none in a gap."""
    after: list[Person]
    """Who would be; none in a gap."""


class Preview(Answer):
    """What a change would do."""

    start: AwareDatetime
    end: AwareDatetime
    """Its period: what is past is left out."""
    differences: list[DifferenceView]
    left_off: bool
    """Whether there are more differences than the answer has."""
    warnings: list[OnCallWarning]
    """What to consider; the change is accepted all the same."""


async def _body(request: Request, _: SomeCommander) -> PreviewBody:
    return validated(PreviewBody, await read_object(request), "preview")


@router.post("/v1/oncall/preview", responses=refusals(400, 404, 409, 413, 415))
async def post_preview(  # what a command needs
    wanted: Annotated[PreviewBody, Depends(_body)],
    desk: DeskHere,
    caller: SomeCommander,
    token: Token,
    _: Annotated[Nothing, Query()],
) -> Preview:
    """Show what a change would do to the shifts, and what to consider about it."""
    command = validated(BODIES[wanted.verb], wanted.body, f"body of `{wanted.verb}`")
    message = Message(credential=credential_of(token), preview=True, body=wanted.body)
    answer = await desk.owner.ask(
        command.aggregate, command.verb, message, OnCallAnswer
    )
    found = await desk.blocking(
        _differences, desk, command, person_of(caller) or "", answer
    )
    return Preview(
        start=answer.start,
        end=answer.end,
        differences=found[:DIFFERENCES_MAX],
        left_off=len(found) > DIFFERENCES_MAX,
        warnings=answer.warnings,
    )


def _differences(
    desk: Desk, command: OnCallCommand, me: str, answer: OnCallAnswer
) -> list[DifferenceView]:
    """Return what would differ, in one more part than an answer has at most."""
    with snapshot(desk.log) as cursor:
        policy = policy_in_force(desk.log, cursor)
        if policy is None:
            return []
        before = rosters_of(cursor, policy, since=answer.start)
        swap = None
        if isinstance(command, AcceptSwap):
            swap = changes_of(cursor, command.schedule).swaps.get(command.swap)
    start, end = answer.start, answer.end
    found = (
        difference_view(name, each)
        for name, after in _changed(command, before, me, (start, end), swap)
        for role in get_args(Role)
        for each in differences(before[name], after, start, end, role)
    )
    return list(islice(found, DIFFERENCES_MAX + 1))


def difference_view(schedule: str, found: Difference) -> DifferenceView:
    """Return how an answer shows a difference."""
    return DifferenceView(
        schedule=schedule,
        role=found.role,
        from_=found.begins,
        to=found.ends,
        before=list(found.before),
        after=list(found.after),
    )


def _changed(
    command: OnCallCommand,
    before: Mapping[str, Roster],
    me: str,
    period: Period,
    swap: RecordedSwap | None,
) -> Iterator[tuple[str, Roster]]:
    """Yield the schedules that a command changes, as they would be."""
    match command:
        case AddOverride():
            override = Override(
                command.kind, *period, command.add, command.remove, command.role
            )
            yield from _overridden(before, command.schedule, [override])
        case RequestSwap():
            yield from _overridden(before, command.schedule, _exchange(command, me))
        case AcceptSwap() if swap:
            given = _exchange(swap, swap.person)
            yield from _overridden(before, command.schedule, given)
        case AddTemporarySchedule() if roster := before.get(command.schedule):
            shifts = tuple(
                DatedShift(each.people, each.start, each.end) for each in command.shifts
            )
            added = TemporarySchedule(*period, shifts)
            yield (
                command.schedule,
                replace(roster, temporary=(*roster.temporary, added)),
            )
        case AddAbsence():
            away = Absence(command.person, *period)
            for name, roster in before.items():
                yield name, replace(roster, absences=(*roster.absences, away))
        case _:
            pass


def _exchange(swap: RequestSwap | RecordedSwap, person: str) -> Sequence[Override]:
    """Return what a swap that `person` asks for changes, if the other accepts."""
    other, role = swap.other, swap.role
    given = [Override("replace", swap.start, swap.end, other, person, role)]
    if swap.other_start is not None and swap.other_end is not None:
        span = swap.other_start, swap.other_end
        given.append(Override("replace", *span, person, other, role))
    return given


def _overridden(
    before: Mapping[str, Roster], schedule: str, added: Sequence[Override]
) -> Iterator[tuple[str, Roster]]:
    if roster := before.get(schedule):
        yield schedule, replace(roster, overrides=(*roster.overrides, *added))


@router.post(
    "/v1/escalation-previews",
    responses=refusals(400, 404, 413, 415, 422),
    openapi_extra=body_of(PreviewEscalation),
)
async def preview_escalation(
    message: Annotated[Message, Depends(new_record)], desk: DeskHere
) -> EscalationPreview:
    """Show who would be told when, by what, if an incident came and nobody answered.

    Nothing is recorded. The rules run forward under the policy in force, until the
    manager is told that nobody is left to page. What managers are told of promises at
    risk is not included.
    """
    kind = PreviewEscalation
    validated(kind, message.body, "question")  # also while escalation is away
    return await desk.owner.ask(kind.aggregate, kind.verb, message, EscalationPreview)
