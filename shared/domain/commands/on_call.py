"""The commands that change who is on call: the body of each request.

Intake owns the streams: it decides who may change what. Periods are half-open, and one
without a `start` begins now.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Instant
from shared.domain.commands.incident import CommandBody
from shared.domain.events.on_call import ChangeId, OverrideKind
from shared.domain.policy.clause import Name, Person
from shared.domain.policy.schedules import Role

SHIFTS_MAX = 200
PEOPLE_MAX = 20
IMPORTED_SHIFTS_MAX = 2_000
AGGREGATE = "on_call"


class AddOverride(CommandBody):
    """Put a person on call in addition, in the place of another, or take one off.

    Anyone may take the shift of a colleague over, be on call in addition, or leave if
    somebody else remains. A manager of a team that uses the schedule may do so for
    others. Nobody is taken off if nobody else would be on call.
    """

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "add_override"
    schedule: Name
    kind: OverrideKind
    add: Person | None = None
    """Who is put on call: with the kinds `add` and `replace`."""
    remove: Person | None = None
    """Whose place is taken: with the kinds `replace` and `remove`."""
    start: Instant | None = None
    """Default, and instead of an instant in the past: now."""
    end: Instant
    role: Role = "primary"

    @model_validator(mode="after")
    def _names_whom_it_needs(self) -> Self:
        needs = {"add": ("add",), "remove": ("remove",), "replace": ("add", "remove")}
        for name in ("add", "remove"):
            given, needed = getattr(self, name) is not None, name in needs[self.kind]
            if given != needed:
                raise PydanticCustomError(
                    "override",
                    "the kind `{kind}` needs `{name}`: name a person"
                    if needed
                    else "the kind `{kind}` has no `{name}`: leave it out",
                    {"kind": self.kind, "name": name},
                )
        return self


class WithdrawOverride(CommandBody):
    """Withdraw an override: it ends now, or never begins."""

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "withdraw_override"
    schedule: Name
    override: ChangeId


class RequestSwap(CommandBody):
    """Ask a colleague to take a period of yours over, perhaps in exchange for theirs.

    Nothing changes until they accept. It expires when its first period begins.
    """

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "request_swap"
    schedule: Name
    other: Person
    """The colleague."""
    start: Instant
    end: Instant
    other_start: Instant | None = None
    """With `other_end`: the period of theirs that you take over in exchange."""
    other_end: Instant | None = None
    role: Role = "primary"

    @model_validator(mode="after")
    def _has_a_whole_second_period(self) -> Self:
        if (self.other_start is None) != (self.other_end is None):
            raise PydanticCustomError(
                "other_end", "give both `other_start` and `other_end`, or neither"
            )
        return self


class AcceptSwap(CommandBody):
    """Accept a swap that a colleague asked you for."""

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "accept_swap"
    schedule: Name
    swap: ChangeId


class DeclineSwap(CommandBody):
    """Decline a swap that a colleague asked you for."""

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "decline_swap"
    schedule: Name
    swap: ChangeId


class WithdrawSwap(CommandBody):
    """Withdraw a swap that you asked for.

    One that was accepted is withdrawn by a manager only: it ends now.
    """

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "withdraw_swap"
    schedule: Name
    swap: ChangeId


class ShiftBody(CommandBody):
    """People who are on call in a period."""

    people: Annotated[tuple[Person, ...], Field(min_length=1, max_length=PEOPLE_MAX)]
    start: Instant
    end: Instant


class AddTemporarySchedule(CommandBody):
    """Give a schedule other shifts for a while, such as a holiday or an event.

    They take precedence over its layers. Where there is no shift, the layers count.
    """

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "add_temporary_schedule"
    schedule: Name
    start: Instant | None = None
    """Default, and instead of an instant in the past: now."""
    end: Instant
    shifts: Annotated[tuple[ShiftBody, ...], Field(min_length=1, max_length=SHIFTS_MAX)]


class ImportShifts(CommandBody):
    """Give a schedule the shifts of a file for a while, as a temporary schedule.

    They replace what was imported under the same name before, from now on.
    """

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "import_shifts"
    schedule: Name
    name: Name
    start: Instant | None = None
    """Default, and instead of an instant in the past: now."""
    end: Instant
    shifts: Annotated[
        tuple[ShiftBody, ...], Field(min_length=1, max_length=IMPORTED_SHIFTS_MAX)
    ]


class WithdrawTemporarySchedule(CommandBody):
    """Withdraw a temporary schedule: it ends now, or never begins."""

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "withdraw_temporary_schedule"
    schedule: Name
    temporary: ChangeId


class AddAbsence(CommandBody):
    """Note that a person is away: the next participant takes their turns.

    It counts in all schedules. Neither a reason nor any text is kept.
    """

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "add_absence"
    person: Person
    start: Instant | None = None
    """Default, and instead of an instant in the past: now."""
    end: Instant


class WithdrawAbsence(CommandBody):
    """Withdraw an absence: it ends now, or never begins."""

    aggregate: ClassVar[str] = AGGREGATE
    verb: ClassVar[str] = "withdraw_absence"
    person: Person
    absence: ChangeId


ScheduleCommand = (
    AddOverride
    | WithdrawOverride
    | RequestSwap
    | AcceptSwap
    | DeclineSwap
    | WithdrawSwap
    | AddTemporarySchedule
    | ImportShifts
    | WithdrawTemporarySchedule
)
AbsenceCommand = AddAbsence | WithdrawAbsence
OnCallCommand = ScheduleCommand | AbsenceCommand

BODIES: Mapping[str, type[OnCallCommand]] = {
    kind.verb: kind for kind in get_args(OnCallCommand)
}
"""The body of each verb."""


class OnCallWarning(BaseModel):
    """What to consider about a change, which is made all the same."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    code: Literal["notice", "rest", "overlap", "not_replaced", "gap"]
    """`notice`: it comes less than 15 days ahead. `rest`: less than 11 hours between
    two shifts. `overlap`: they are on call in another schedule too. `not_replaced`:
    nobody takes the turns of an absent person. `gap`: nobody is on call."""
    schedule: Name
    person: Person | None = None
    start: AwareDatetime
    """When what it is about begins: the shift, the other shift, or the gap."""
    end: AwareDatetime
    sentence: str


class OnCallAnswer(BaseModel):
    """The outcome of a change of who is on call."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Literal["would_record", "recorded", "already", "repeated"]
    """`would_record`: it was only previewed, and `version` is the one of the decision.
    """
    change: ChangeId
    """The override, swap, temporary schedule or absence."""
    start: AwareDatetime
    end: AwareDatetime
    """Its period; after it was withdrawn, until then."""
    version: int
    """The version of the schedule's changes, or of the person's absences."""
    positions: list[int]
    warnings: list[OnCallWarning] = []
    """None in the answer to a repeat."""
    added: list[ChangeId] = []
    """The temporary schedules that an import made; none in the answer to a repeat."""
    withdrawn: list[ChangeId] = []
    """Those that it replaces; none in the answer to a repeat."""
