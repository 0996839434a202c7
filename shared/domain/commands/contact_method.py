"""The commands on how a person is reached: the body of each request.

Intake owns the streams of people. Only people themselves add and verify methods and set
their rules; an administrator may remove a method.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from shared.domain.bounded_text import Instant, line, visible
from shared.domain.commands.incident import CommandBody
from shared.domain.events.contact_method import ContactKind, MethodId, TimeOfDay
from shared.domain.policy.clause import Person
from shared.domain.policy.local_times import Zone

METHODS_MAX = 10
"""The maximum number of contact methods of a person."""
RULES_MAX = 10
VALUE_MAX = 500
SUBSCRIPTION_MAX = 2_000
"""The same for the subscription of a browser: an endpoint and two keys."""
DELAY_MINUTES_MAX = 120

Value = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=SUBSCRIPTION_MAX),
    AfterValidator(line),
    AfterValidator(visible),
]
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{6}$")]


class AddContactMethod(CommandBody):
    """Add a way to reach you. A code is sent to it; it is used once you enter the code.

    The value is an address for `mail`, a number such as +33612345678 for `sms` and
    `voice`, and what the channel needs for others. Only channels that this desk has set
    up are accepted.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "add_contact_method"
    person: Person
    kind: ContactKind
    value: Value

    @field_validator("value")
    @classmethod
    def _is_short(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("kind") != "web_push" and len(value) > VALUE_MAX:
            raise PydanticKnownError("string_too_long", {"max_length": VALUE_MAX})
        return value


class SendContactCode(CommandBody):
    """Send a new code to a method of yours; an earlier code does not count any more."""

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "send_contact_code"
    person: Person
    method: MethodId


class VerifyContactMethod(CommandBody):
    """Enter the code that was sent to a method: from then on it is used."""

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "verify_contact_method"
    person: Person
    method: MethodId
    code: Code
    """The six digits."""


class RemoveContactMethod(CommandBody):
    """Remove a contact method: nothing is sent to it any more."""

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "remove_contact_method"
    person: Person
    method: MethodId


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )


class RuleBody(_Part):
    """Notify over a method some minutes after the cause, perhaps several times."""

    method: MethodId
    delay_minutes: Annotated[int, Field(ge=0, le=DELAY_MINUTES_MAX)] = 0
    repeat: Annotated[int, Field(ge=1, le=5)] = 1
    """How often, while nobody has accepted."""
    every_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    """The time between repeats."""


class QuietHoursBody(_Part):
    """Every day from `start` until `end`, perhaps over midnight."""

    start: TimeOfDay
    end: TimeOfDay
    zone: Zone | None = None
    """Default: your time zone in the directory, otherwise the desk's."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.start == self.end:
            raise PydanticCustomError(
                "quiet_hours", "`end` is equal to `start`: choose another time"
            )
        return self


Rules = Annotated[tuple[RuleBody, ...], Field(max_length=RULES_MAX)]


class SetNotificationRules(CommandBody):
    """Choose how you are notified. What is left out is as for somebody without rules.

    `important` is for pages of incidents with priority P1 or P2: quiet hours never hold
    these back. `default` is for other pages and for notices to managers and teams.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "set_notification_rules"
    person: Person
    default: Rules = ()
    important: Rules = ()
    quiet_hours: QuietHoursBody | None = None

    @model_validator(mode="after")
    def _names_each_method_once(self) -> Self:
        for rules in (self.default, self.important):
            if len({each.method for each in rules}) < len(rules):
                raise PydanticCustomError(
                    "rules", "a list names a method twice: use `repeat` instead"
                )
        return self


ContactMethodCommand = (
    AddContactMethod
    | SendContactCode
    | VerifyContactMethod
    | RemoveContactMethod
    | SetNotificationRules
)
BODIES: Mapping[str, type[ContactMethodCommand]] = {
    kind.verb: kind for kind in get_args(ContactMethodCommand)
}
"""The body of each verb."""


class ContactMethodAnswer(BaseModel):
    """The outcome of a command about how a person is reached."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Literal["recorded", "already", "repeated", "sent"]
    """`sent`: a code is on its way, and nothing else changed."""
    person: Person
    version: int
    """The version of the person's stream after it."""
    positions: list[int]
    method: MethodId | None = None
    """The method that it is about."""
    code_until: Instant | None = None
    """Until when the code that was sent can be entered."""
