"""The commands on incidents: the body of each request, one class for each verb.

HTTP and NATS share them. The caller and the time are never in a body: see `Command`.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Instant, Reason, Title, Words
from shared.domain.commands.caller import NewCaller, require_one, require_one_at_most
from shared.domain.events.incident_attachments import AttachmentId
from shared.domain.events.incident_ties import RecordRef, Relation
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Name, Person
from shared.domain.policy.durations import Duration
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import Channel, PauseReason


class CommandBody(BaseModel):
    """Base class of all bodies: frozen, and without unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )
    sent_once: ClassVar[bool] = False
    """Its answer lists what it did in many transactions.

    No second process may be asked to do it while the first one may be at work.
    """


class Snooze(CommandBody):
    """Snooze the incident: repeats cause no updates. SLA clocks keep running."""

    verb: ClassVar[str] = "snooze"
    until: Instant | None = None
    for_: Duration | None = Field(None, alias="for")
    """Instead of `until`: the duration from now."""
    reason: Reason

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.until is None) == (self.for_ is None):
            raise PydanticCustomError(
                "until", "say when it ends: either `until` or `for`"
            )
        return self


class Wake(CommandBody):
    """End the snooze: repeats cause updates again."""

    verb: ClassVar[str] = "wake"


class Note(CommandBody):
    """Write an internal note: for the desk, not for the users."""

    verb: ClassVar[str] = "note"
    note: Words


REMINDERS_MAX = 10
"""The maximum number of reminders that a person has on an incident."""


class Remind(CommandBody):
    """Remind me of the incident at an instant; I may have several reminders."""

    verb: ClassVar[str] = "remind"
    at: Instant | None = None
    for_: Duration | None = Field(None, alias="for")
    """Instead of `at`: the duration from now."""
    note: Words | None = None
    """What I want to be reminded of."""

    @model_validator(mode="after")
    def _one_instant(self) -> Self:
        if (self.at is None) == (self.for_ is None):
            raise PydanticCustomError("at", "say when: either `at` or `for`")
        return self


class Unremind(CommandBody):
    """Clear my reminder, whether it has become due or not."""

    verb: ClassVar[str] = "unremind"
    number: Annotated[int, Field(ge=1, le=REMINDERS_MAX)] | None = None
    """Which of my reminders. Default: all of them."""


SIGNAL_KEYS_MAX = 400
WAITED_SECONDS_MAX = 86_400

Waited = Annotated[int, Field(ge=0, le=WAITED_SECONDS_MAX)]


class Open(CommandBody):
    """Open an incident."""

    verb: ClassVar[str] = "open"
    title: Title
    description: Words | None = None
    """The reporter's own words, kept verbatim; without a reporter, the agent's."""
    service: Name | None = None
    category: Name | None = None
    client: Name | None = None
    """The contract party, as opposed to the person who reports."""
    impact: Impact | None = None
    """Default: the criticality of the service."""
    urgency: Urgency = "medium"
    priority: Priority | None = None
    """Default: what the matrix gives. Another needs a role and a reason."""
    reason: Reason | None = None
    """Why the priority differs from the matrix."""
    reporter: Person | None = None
    caller: NewCaller | None = None
    """Instead of `reporter`: somebody whom the directory does not have."""
    channel: Channel | None = None
    """How the reporter contacted the desk; required with one."""
    waited_seconds: Waited | None = None
    """Seconds the reporter waited until the desk answered."""
    abandoned: bool = False
    """Whether the reporter gave up before anybody answered."""
    reported_at: Instant | None = None
    """Default: now."""
    backdated_because: Reason | None = None
    """Why it is recorded later than it was reported."""
    follows: IncidentRef | None = None
    """An earlier incident for the same issue that can no longer be reopened."""
    sender_unconfirmed: bool = False
    """Whether the sender could not be verified as the reporter: see `Attach`."""

    @model_validator(mode="after")
    def _reporter_has_a_channel(self) -> Self:
        require_one_at_most("reporter", self.reporter, self.caller)
        is_reported = self.reporter is not None or self.caller is not None
        if is_reported != (self.channel is not None):
            raise PydanticCustomError(
                "channel",
                "give `reporter` and `channel` together: who, and how they reached us",
            )
        if not is_reported and (self.abandoned or self.waited_seconds):
            raise PydanticCustomError(
                "waited",
                "say in `reporter` and `channel` who waited, and how they reached us",
            )
        return self


class Attach(CommandBody):
    """Record a contact between a person and the desk about the incident."""

    verb: ClassVar[str] = "attach"
    person: Person | None = None
    """Who it was. Required, unless it was a new `caller`."""
    caller: NewCaller | None = None
    """Instead of `person`: somebody whom the directory does not have."""
    channel: Channel
    direction: Literal["inbound", "outbound"] = "inbound"
    words: Words | None = None
    """What was said or written, verbatim."""
    contacted_at: Instant | None = None
    """When the contact took place. Default: now."""
    waited_seconds: Waited | None = None
    """Seconds the person waited until the desk answered."""
    abandoned: bool = False
    """Whether they gave up before anybody answered."""
    unconfirmed: bool = False
    """Whether the person is not known to be involved: no reporter, no user's reply."""
    sender_unconfirmed: bool = False
    """Whether the sender could not be verified: such text is not repeated in mails."""

    @model_validator(mode="after")
    def _is_by_one_person(self) -> Self:
        require_one("person", self.person, self.caller)
        return self

    @model_validator(mode="after")
    def _who_is_called_does_not_wait(self) -> Self:
        if self.direction == "outbound" and (self.abandoned or self.waited_seconds):
            raise PydanticCustomError(
                "waited", "only who calls the desk waits: leave both out, or `inbound`"
            )
        return self


class Classify(CommandBody):
    """Classify the incident: topic and importance. Absent fields do not change."""

    verb: ClassVar[str] = "classify"
    category: Name | None = None
    service: Name | None = None
    client: Name | None = None
    impact: Impact | None = None
    urgency: Urgency | None = None
    priority: Priority | None = None
    """Default: what the matrix gives. Another needs a role and a reason."""
    reason: Reason | None = None


class Edit(CommandBody):
    """Edit the title or description; the original text is kept and shown."""

    verb: ClassVar[str] = "edit"
    title: Title | None = None
    """Default: unchanged."""
    description: Words | None = None
    """Default: unchanged."""


class Assign(CommandBody):
    """Assign the incident to a team, and optionally to one of its members."""

    verb: ClassVar[str] = "assign"
    team: Name | None = None
    """Default: the team that has it."""
    assignee: Person | None = None
    """Default: nobody yet."""
    reason: Reason | None = None
    """Required if it goes back to a lower support level."""


class Return(CommandBody):
    """Return the incident to the desk, or to a team at a lower support level."""

    verb: ClassVar[str] = "return"
    reason: Reason
    team: Name | None = None
    """Default: the desk."""


class Acknowledge(CommandBody):
    """Acknowledge the incident: take it on."""

    verb: ClassVar[str] = "acknowledge"


class Pause(CommandBody):
    """Pause the incident: wait for somebody."""

    verb: ClassVar[str] = "pause"
    reason: PauseReason
    question: Words | None = None
    """The question to the user; required for reason `user`."""


class Resume(CommandBody):
    """End the pause of the incident."""

    verb: ClassVar[str] = "resume"


class Inform(CommandBody):
    """Inform the users of the incident about the progress."""

    verb: ClassVar[str] = "inform"
    message: Words


class Restore(CommandBody):
    """Record that service is restored, even if the cause remains."""

    verb: ClassVar[str] = "restore"
    workaround: bool = False
    note: Words | None = None
    """What was done, as its users are told."""


class Relapse(CommandBody):
    """Record that service is down again before the incident was resolved."""

    verb: ClassVar[str] = "relapse"
    reason: Reason | None = None


class Resolve(CommandBody):
    """Resolve the incident: the work is done."""

    verb: ClassVar[str] = "resolve"
    note: Words | None = None
    """What was done, as its users are told."""
    solution_note: Words | None = None
    """What N1 can do next time; requested if it is resolved above N1."""
    solution: IncidentRef | None = None
    """The incident whose solution note was used."""
    cause_removed: bool = False
    """The cause was removed too, although a workaround had restored service."""
    force: bool = False
    """Resolve it although one of its alerts still fires; needs a `reason`."""
    reason: Reason | None = None
    """Why it is over although an alert still fires."""

    @model_validator(mode="after")
    def _force_has_a_reason(self) -> Self:
        if self.force != (self.reason is not None):
            raise PydanticCustomError(
                "reason",
                "give `force` and `reason` together: why it is over though it fires",
            )
        return self


class NoteSolution(CommandBody):
    """Note what N1 can do next time; a new note replaces the previous one."""

    verb: ClassVar[str] = "solution"
    note: Words


class Reopen(CommandBody):
    """Reopen the incident: it was not over."""

    verb: ClassVar[str] = "reopen"
    reason: Reason | None = None
    cause: Literal["agent", "user"] = "agent"
    """Who asked for it."""


class Close(CommandBody):
    """Close the incident: the reporter is satisfied, or silent."""

    verb: ClassVar[str] = "close"
    note: Words | None = None
    """For the desk, not for the users."""


class Cancel(CommandBody):
    """Cancel the incident: it was not an incident, or not one of ours."""

    verb: ClassVar[str] = "cancel"
    reason: Literal["not_an_incident", "duplicate", "withdrawn", "test"]
    note: Words | None = None
    """Why it ends here, as its users are told."""


class Redirect(CommandBody):
    """Hand a request elsewhere: it is not an incident, ends, and is not resolved."""

    verb: ClassVar[str] = "redirect"
    to: Name
    """One of the policy's `destinations`."""
    message: Words
    """What its users are told: where it went, and what happens next."""


class Link(CommandBody):
    """Link the incident to another record: an incident, a problem or a change.

    A record of another system, such as a configuration item or a release, is linked as
    `record`; its target is its type and id, `configuration_item/web-01`.
    """

    verb: ClassVar[str] = "link"
    relation: Relation
    target: RecordRef


class Unlink(CommandBody):
    """Remove a link of the incident."""

    verb: ClassVar[str] = "unlink"
    relation: Relation
    target: RecordRef


class RemoveAttachment(CommandBody):
    """Remove an attached file and destroy its content, which a manager may do."""

    verb: ClassVar[str] = "detach"
    attachment: AttachmentId
    reason: Reason


class Merge(CommandBody):
    """Merge the incident into another one that reports the same."""

    verb: ClassVar[str] = "merge"
    into: IncidentRef


class Unmerge(CommandBody):
    """Undo a merge."""

    verb: ClassVar[str] = "unmerge"


class Split(CommandBody):
    """Split the incident: open a new incident for a part of it."""

    verb: ClassVar[str] = "split"
    title: Title
    signal_keys: tuple[str, ...] = Field((), max_length=SIGNAL_KEYS_MAX)
    """Keys of the signals that move to the new incident."""
    reporter: Person | None = None
    """The reporter of that part, one of those who reported the whole."""


IncidentCommand = (
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
    | Redirect
    | Snooze
    | Wake
    | Note
    | Remind
    | Unremind
    | Link
    | Unlink
    | Merge
    | Unmerge
    | Split
    | RemoveAttachment
)

BODIES: Mapping[str, type[IncidentCommand]] = {
    kind.verb: kind for kind in get_args(IncidentCommand)
}
"""The body of each verb that people may use."""
