"""The question who would be told when, by what, if an incident came; and its answer."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.domain.commands.incident import CommandBody
from shared.domain.events.escalation import PageTarget
from shared.domain.events.incident import PersonId
from shared.domain.events.notification import Channel
from shared.domain.policy.clause import Name
from shared.domain.policy.priorities import Priority
from shared.domain.policy.schedules import Role
from shared.domain.policy.targets import SupportLevel

Why = Literal["priority", "nobody", "later"]


class PreviewEscalation(CommandBody):
    """Show who would be told when, by what, if an incident came and nobody answered."""

    aggregate: ClassVar[str] = "escalation"
    verb: ClassVar[str] = "preview"
    service: Name
    priority: Priority
    team: Name | None = None
    """The team it is assigned to at once. Default: it stays with the desk until it is
    escalated."""
    at: AwareDatetime | None = None
    """When it comes; the policy is the one in force. Default: now."""


class _Answer(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True
    )


class Sent(_Answer):
    """A way by which it is told: to a person, or to a channel of the desk or a team."""

    person: PersonId | None = None
    channel: Channel
    team_channel: Name | None = None
    """The channel of a team, by its name in the policy."""


class PreviewEvent(_Answer):
    """Something that happens: it is escalated, people are paged, or nobody is left."""

    at: AwareDatetime
    kind: Literal["escalated", "paged", "unanswered", "exhausted"]
    level: SupportLevel
    team: Name | None = None
    """The team that has the incident then."""
    cause: str | None = None
    """Why it is escalated."""
    escalation_policy: Name | None = None
    """The team's own escalation policy; null for the shared steps."""
    step: int | None = None
    """Number of the step, from 1."""
    loop: int | None = None
    """Number of the attempt, from 1."""
    who: PageTarget | None = None
    """Whom the step asks for."""
    team_channel: Name | None = None
    """The channel of a team that it asks for, by its name in the policy."""
    schedule: Name | None = None
    asks_for_team: Name | None = None
    role: Role | None = None
    people: Annotated[tuple[PersonId, ...], Field(max_length=1_000)] = ()
    nobody_on_call: bool = False
    """The schedule has a gap: these stand in."""
    out_of_hours: tuple[PersonId, ...] | None = None
    """Those left out since it is not within the hours of the step where they are."""
    held_since: AwareDatetime | None = None
    """When the step would be due, if it waits until somebody is on call."""
    quiet: bool = False
    """By mail only, which wakes nobody."""
    acknowledgements: int | None = None
    """How many people have to accept it, if it is more than one."""
    sent: tuple[Sent, ...] = ()


class StepLeftOut(_Answer):
    """A step that pages nobody.

    `priority`: it is not for this priority; `nobody`: it finds nobody within its hours,
    or nobody who was not paged at that instant; `later`: the preview ends before.
    """

    level: SupportLevel
    team: Name
    step: int
    why: Why


class EscalationPreview(_Answer):
    """What happens if nobody does anything, in order, until nobody is left to page."""

    at: AwareDatetime
    policy: int
    """The version of the policy."""
    items: tuple[PreviewEvent, ...]
    left_out: tuple[StepLeftOut, ...] = ()
