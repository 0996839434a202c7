"""The paths of commands about who is on call: of a schedule, or of a person's absences.

A path names the schedule or the person, and the change if it is there already.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Path

from services.projections.api.commands.messages import (
    Message,
    NewRecord,
    about_person,
    with_path,
)
from shared.domain.commands.on_call import (
    AcceptSwap,
    AddAbsence,
    AddOverride,
    AddTemporarySchedule,
    DeclineSwap,
    OnCallCommand,
    RequestSwap,
    WithdrawAbsence,
    WithdrawOverride,
    WithdrawSwap,
    WithdrawTemporarySchedule,
)
from shared.domain.events.on_call import ChangeId
from shared.domain.policy.clause import Name

SchedulePath = Annotated[
    Name, Path(description="An on-call schedule of the policy: `night`.")
]
ChangePath = Annotated[
    ChangeId, Path(description="A change, as the list of changes has it: `night.3`.")
]


class OnCallPath(NamedTuple):
    """A path, the body that it takes, and the dependency that makes the command."""

    path: str
    body: type[OnCallCommand]
    message: Callable[..., Awaitable[Message]]


async def about_schedule(schedule: SchedulePath, message: NewRecord) -> Message:
    """Return a command about a schedule."""
    body = with_path(message, "schedule", schedule)
    return message.model_copy(update={"body": body})


def about_change(field: str) -> Callable[..., Awaitable[Message]]:
    """Return what makes commands about a change; `field` of the body names it."""

    async def about(
        change: ChangePath, message: Annotated[Message, Depends(about_schedule)]
    ) -> Message:
        body = with_path(message, field, change)
        return message.model_copy(update={"body": body})

    return about


async def about_absence(
    change: ChangePath, message: Annotated[Message, Depends(about_person)]
) -> Message:
    """Return a command about an absence of a person."""
    body = with_path(message, "absence", change)
    return message.model_copy(update={"body": body})


_SCHEDULE = "/v1/oncall/{schedule}"
_OVERRIDE = f"{_SCHEDULE}/overrides/{{change}}"
_SWAP = f"{_SCHEDULE}/swaps/{{change}}"
_TEMPORARY = f"{_SCHEDULE}/temporary-schedules/{{change}}"
_ABSENCES = "/v1/people/{person}/absences"
_about_swap = about_change("swap")

ON_CALL_PATHS = (
    OnCallPath(f"{_SCHEDULE}/overrides", AddOverride, about_schedule),
    OnCallPath(f"{_OVERRIDE}/withdraw", WithdrawOverride, about_change("override")),
    OnCallPath(f"{_SCHEDULE}/swaps", RequestSwap, about_schedule),
    OnCallPath(f"{_SWAP}/accept", AcceptSwap, _about_swap),
    OnCallPath(f"{_SWAP}/decline", DeclineSwap, _about_swap),
    OnCallPath(f"{_SWAP}/withdraw", WithdrawSwap, _about_swap),
    OnCallPath(
        f"{_SCHEDULE}/temporary-schedules", AddTemporarySchedule, about_schedule
    ),
    OnCallPath(
        f"{_TEMPORARY}/withdraw",
        WithdrawTemporarySchedule,
        about_change("temporary"),
    ),
    OnCallPath(_ABSENCES, AddAbsence, about_person),
    OnCallPath(f"{_ABSENCES}/{{change}}/withdraw", WithdrawAbsence, about_absence),
)
