"""Events of what people change of an on-call schedule: written by intake.

Those of a schedule are in the stream `on_call-<schedule>`, and absences in the stream
`absences-<person>`. Periods are half-open, [start, end). An event that withdraws a
change ends it at its own instant: what was on call before stays history.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.domain.events.event import Event
from shared.domain.events.incident import PersonId
from shared.domain.policy.schedules import Role as OnCallRole

CHANGE_ID = r"^[A-Za-z0-9._-]{1,128}\.[0-9]{1,9}$"
ChangeId = Annotated[str, StringConstraints(pattern=CHANGE_ID)]
"""The schedule, or the person, and the version of the stream: `night.3`."""
OverrideKind = Literal["add", "replace", "remove"]


class OverrideAdded(Event):
    """Somebody is put on call, takes the place of another, or is taken off."""

    type: Literal["on_call.override_added"] = "on_call.override_added"
    schedule: str
    override: ChangeId
    kind: OverrideKind
    add: PersonId | None = None
    """Who is put on call: of the kinds `add` and `replace`."""
    remove: PersonId | None = None
    """Who is taken off: of the kinds `replace` and `remove`."""
    start: AwareDatetime
    end: AwareDatetime
    role: OnCallRole = "primary"


class OverrideWithdrawn(Event):
    """An override ends now, or never begins."""

    type: Literal["on_call.override_withdrawn"] = "on_call.override_withdrawn"
    schedule: str
    override: ChangeId


class SwapRequested(Event):
    """A person asks another to take a period over, perhaps in exchange for another.

    It has no effect until the other accepts, and expires when its first period begins.
    """

    type: Literal["on_call.swap_requested"] = "on_call.swap_requested"
    schedule: str
    swap: ChangeId
    person: PersonId
    other: PersonId
    start: AwareDatetime
    end: AwareDatetime
    other_start: AwareDatetime | None = None
    """With `other_end`: the period that the person takes over in exchange."""
    other_end: AwareDatetime | None = None
    role: OnCallRole = "primary"


class SwapAccepted(Event):
    """The other person consents: the swap has effect."""

    type: Literal["on_call.swap_accepted"] = "on_call.swap_accepted"
    schedule: str
    swap: ChangeId


class SwapDeclined(Event):
    """The other person does not consent."""

    type: Literal["on_call.swap_declined"] = "on_call.swap_declined"
    schedule: str
    swap: ChangeId


class SwapWithdrawn(Event):
    """A swap is not asked for any more; an accepted one ends now."""

    type: Literal["on_call.swap_withdrawn"] = "on_call.swap_withdrawn"
    schedule: str
    swap: ChangeId


class TemporaryShift(BaseModel):
    """People who are on call in a period."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    people: tuple[PersonId, ...]
    start: AwareDatetime
    end: AwareDatetime


class TemporaryScheduleAdded(Event):
    """Shifts take precedence over the layers of a schedule for a while.

    Where it has no shift, the layers count as ever.
    """

    type: Literal["on_call.temporary_schedule_added"] = (
        "on_call.temporary_schedule_added"
    )
    schedule: str
    temporary: ChangeId
    start: AwareDatetime
    end: AwareDatetime
    shifts: tuple[TemporaryShift, ...]
    imported_as: str | None = None
    """The name of the import that made it: the next one of this name replaces it."""


class TemporaryScheduleWithdrawn(Event):
    """A temporary schedule ends now, or never begins."""

    type: Literal["on_call.temporary_schedule_withdrawn"] = (
        "on_call.temporary_schedule_withdrawn"
    )
    schedule: str
    temporary: ChangeId


class AbsenceAdded(Event):
    """A person is away: the next participant takes their turns, in every schedule."""

    type: Literal["on_call.absence_added"] = "on_call.absence_added"
    person: PersonId
    absence: ChangeId
    start: AwareDatetime
    end: AwareDatetime


class AbsenceWithdrawn(Event):
    """A person is back, or is not away after all."""

    type: Literal["on_call.absence_withdrawn"] = "on_call.absence_withdrawn"
    person: PersonId
    absence: ChangeId


SwapEvent = SwapRequested | SwapAccepted | SwapDeclined | SwapWithdrawn
ScheduleChangeEvent = (
    OverrideAdded
    | OverrideWithdrawn
    | SwapEvent
    | TemporaryScheduleAdded
    | TemporaryScheduleWithdrawn
)
AbsenceEvent = AbsenceAdded | AbsenceWithdrawn
OnCallEvent = ScheduleChangeEvent | AbsenceEvent
