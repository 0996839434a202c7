"""What the bodies of all commands have in common.

What people may ask of an incident: the body of each request, one class a verb.

HTTP and NATS share them. Whose wish it is and when is never in a body: see `Command`.

What people may ask so that an incident makes no news for a while.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Instant, Reason, Title, Words
from shared.domain.events.incident_ties import RecordRef, Relation
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Name, Person
from shared.domain.policy.durations import Duration
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import Channel, PauseReason


class CommandBody(BaseModel):
    """A body: frozen, and no field it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )


class Snooze(CommandBody):
    """Make no news of its repeats for a while. No clock stands, no promise waits."""

    verb: ClassVar[str] = "snooze"
    until: Instant | None = None
    for_: Duration | None = Field(None, alias="for")
    """Instead of `until`: how long from now."""
    reason: Reason

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.until is None) == (self.for_ is None):
            raise PydanticCustomError(
                "until", "say when it ends: either `until` or `for`"
            )
        return self


class Wake(CommandBody):
    """Make news of its repeats again."""

    verb: ClassVar[str] = "wake"


SIGNAL_KEYS_MAX = 400
WAITED_SECONDS_MAX = 86_400

Waited = Annotated[int, Field(ge=0, le=WAITED_SECONDS_MAX)]


class Open(CommandBody):
    """Take an incident on record."""

    verb: ClassVar[str] = "open"
    title: Title
    description: Words | None = None
    """The reporter's own words, kept verbatim; without a reporter, the agent's."""
    service: Name | None = None
    category: Name | None = None
    client: Name | None = None
    """The contract party; not the person who reports."""
    impact: Impact | None = None
    """Left out: the criticality of the service."""
    urgency: Urgency = "medium"
    priority: Priority | None = None
    """Left out: what the matrix gives. Another needs a role and a reason."""
    reason: Reason | None = None
    """Why the priority is not the matrix's."""
    reporter: Person | None = None
    channel: Channel | None = None
    """How the reporter reached the desk; goes with `reporter`."""
    waited_seconds: Waited | None = None
    """How long the reporter waited until the desk answered."""
    abandoned: bool = False
    """The reporter gave up before anybody answered."""
    reported_at: Instant | None = None
    """Left out: now."""
    backdated_because: Reason | None = None
    """Why it is recorded later than it was reported."""
    follows: IncidentRef | None = None
    """An older incident of the same trouble that may no longer be reopened."""
    sender_unconfirmed: bool = False
    """Whether nothing proves that it came from the reporter: see `Attach`."""

    @model_validator(mode="after")
    def _reporter_has_a_channel(self) -> Self:
        if (self.reporter is None) != (self.channel is None):
            raise PydanticCustomError(
                "channel",
                "give `reporter` and `channel` together: who, and how they reached us",
            )
        if self.reporter is None and (self.abandoned or self.waited_seconds):
            raise PydanticCustomError(
                "waited",
                "say in `reporter` and `channel` who waited, and how they reached us",
            )
        return self


class Attach(CommandBody):
    """Record that a person and the desk were in touch about the incident."""

    verb: ClassVar[str] = "attach"
    person: Person
    channel: Channel
    direction: Literal["inbound", "outbound"] = "inbound"
    words: Words | None = None
    """What was said or written, verbatim."""
    contacted_at: Instant | None = None
    """When they were in touch. Left out: now."""
    waited_seconds: Waited | None = None
    """How long the person waited until the desk answered."""
    abandoned: bool = False
    """They gave up before anybody answered."""
    unconfirmed: bool = False
    """Whether they have to do with it nobody knows: no reporter, no reply of one."""
    sender_unconfirmed: bool = False
    """Whether nothing proves that it came from that person: no mail repeats it."""

    @model_validator(mode="after")
    def _who_is_called_does_not_wait(self) -> Self:
        if self.direction == "outbound" and (self.abandoned or self.waited_seconds):
            raise PydanticCustomError(
                "waited", "only who calls the desk waits: leave both out, or `inbound`"
            )
        return self


class Classify(CommandBody):
    """Say what it is about and how much it matters. Left out: as it is."""

    verb: ClassVar[str] = "classify"
    category: Name | None = None
    service: Name | None = None
    client: Name | None = None
    impact: Impact | None = None
    urgency: Urgency | None = None
    priority: Priority | None = None
    """Left out: what the matrix gives. Another needs a role and a reason."""
    reason: Reason | None = None


class Edit(CommandBody):
    """Reword title or description; the original words are kept and shown."""

    verb: ClassVar[str] = "edit"
    title: Title | None = None
    """Left out: as it is."""
    description: Words | None = None
    """Left out: as it is."""


class Assign(CommandBody):
    """Give it to a team, and to one of its people if named."""

    verb: ClassVar[str] = "assign"
    team: Name | None = None
    """Left out: the team that has it."""
    assignee: Person | None = None
    """Left out: nobody yet."""
    reason: Reason | None = None
    """Why; needed where it goes back to a lower support level."""


class Return(CommandBody):
    """Give it back: to the desk, or to a team of a lower support level."""

    verb: ClassVar[str] = "return"
    reason: Reason
    team: Name | None = None
    """Left out: the desk."""


class Acknowledge(CommandBody):
    """Take it on."""

    verb: ClassVar[str] = "acknowledge"


class Pause(CommandBody):
    """Wait for somebody."""

    verb: ClassVar[str] = "pause"
    reason: PauseReason
    question: Words | None = None
    """What the user is asked; needed for reason `user`."""


class Resume(CommandBody):
    """Go on: the waiting is over."""

    verb: ClassVar[str] = "resume"


class Inform(CommandBody):
    """Tell its users how things stand."""

    verb: ClassVar[str] = "inform"
    message: Words


class Restore(CommandBody):
    """Service is back, though the cause may stay."""

    verb: ClassVar[str] = "restore"
    workaround: bool = False
    note: Words | None = None


class Relapse(CommandBody):
    """Service is down again before the incident was resolved."""

    verb: ClassVar[str] = "relapse"
    reason: Reason | None = None


class Resolve(CommandBody):
    """The work is done."""

    verb: ClassVar[str] = "resolve"
    note: Words | None = None
    """What was done, as its users are told."""
    solution_note: Words | None = None
    """What N1 can do by itself next time; asked for when it is resolved above N1."""
    solution: IncidentRef | None = None
    """The incident whose solution note was used."""
    cause_removed: bool = False
    """The cause is gone as well, though a workaround had brought service back."""
    force: bool = False
    """Resolve it though a signal of it still fires; needs a `reason`."""
    reason: Reason | None = None
    """Why it is over though a signal still says otherwise."""

    @model_validator(mode="after")
    def _force_has_a_reason(self) -> Self:
        if self.force != (self.reason is not None):
            raise PydanticCustomError(
                "reason",
                "give `force` and `reason` together: why it is over though it fires",
            )
        return self


class NoteSolution(CommandBody):
    """Note what N1 can do by itself next time; a new note replaces the last one."""

    verb: ClassVar[str] = "solution"
    note: Words


class Reopen(CommandBody):
    """It was not over."""

    verb: ClassVar[str] = "reopen"
    reason: Reason | None = None
    cause: Literal["agent", "user"] = "agent"
    """Whose word it is."""


class Close(CommandBody):
    """The reporter is content or silent."""

    verb: ClassVar[str] = "close"
    note: Words | None = None


class Cancel(CommandBody):
    """It never was an incident, or not one of ours."""

    verb: ClassVar[str] = "cancel"
    reason: Literal["not_an_incident", "duplicate", "withdrawn", "test"]
    note: Words | None = None


class Link(CommandBody):
    """It has to do with another record: an incident, a problem or a change."""

    verb: ClassVar[str] = "link"
    relation: Relation
    target: RecordRef


class Unlink(CommandBody):
    """A link was a mistake."""

    verb: ClassVar[str] = "unlink"
    relation: Relation
    target: RecordRef


class Merge(CommandBody):
    """It reports the same as another incident."""

    verb: ClassVar[str] = "merge"
    into: IncidentRef


class Unmerge(CommandBody):
    """Merging was a mistake."""

    verb: ClassVar[str] = "unmerge"


class Split(CommandBody):
    """Part of it is another incident: open one for that part."""

    verb: ClassVar[str] = "split"
    title: Title
    signal_keys: tuple[str, ...] = Field((), max_length=SIGNAL_KEYS_MAX)
    """Keys of the signals that go over."""
    reporter: Person | None = None
    """Whose trouble it is, among those who reported the whole."""


PersonsWish = (
    Open
    | Attach
    | Classify
    | Edit
    | Assign
    | Return
    | Acknowledge
    | Pause
    | Resume
    | Inform
    | Restore
    | Relapse
    | Resolve
    | NoteSolution
    | Reopen
    | Close
    | Cancel
    | Snooze
    | Wake
    | Link
    | Unlink
    | Merge
    | Unmerge
    | Split
)

BODIES: Mapping[str, type[PersonsWish]] = {
    kind.verb: kind for kind in get_args(PersonsWish)
}
"""The body of each verb a person may use."""
