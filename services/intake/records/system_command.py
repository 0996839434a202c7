"""Commands that no person sends: from signals, after correlation, and from intake."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.intake.records.signal import Signal
from shared.domain.commands.change import ChangeCommand
from shared.domain.commands.incident import IncidentCommand
from shared.domain.commands.problem import ProblemCommand
from shared.domain.events.incident_attachments import ScanVerdict, WhyLeftOut
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.targets import Channel


@dataclass(frozen=True, slots=True)
class Trigger:
    """A signal fires, and this is not yet recorded on the incident.

    `repeats` is the number of signals since the last event that counted them; `follows`
    is an incident of the same alert that can no longer be reopened. `rule` and `of`
    name the rule that lets the signal through; with `joins` the incident gets it as a
    further alert; `reported_at` is when the SLA clocks start, if later than the signal
    was received.
    """

    verb: ClassVar[str] = "trigger"
    signal: Signal
    signal_key: str
    received_at: datetime
    repeats: int = 0
    follows: IncidentRef | None = None
    rule: str | None = None
    of: str | None = None
    joins: bool = False
    reported_at: datetime | None = None
    team: str | None = None
    """The team that its incident is assigned to when it opens."""
    wakes: bool = False
    """It is worse than before: a snoozed incident is woken."""


@dataclass(frozen=True, slots=True)
class Recover:
    """A signal recovered, or counts as recovered since `held_until`."""

    verb: ClassVar[str] = "recover"
    source: str
    signal_key: str
    repeats: int = 0
    occurred_at: datetime | None = None
    held_until: datetime | None = None
    rule: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Flap:
    """A signal started to flap, or stopped if `held_until` is given."""

    verb: ClassVar[str] = "flap"
    source: str
    signal_key: str
    changes: int
    since: datetime
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AcknowledgeSource:
    """Somebody acknowledged the alert at its source."""

    verb: ClassVar[str] = "acknowledge_source"
    signal: Signal
    signal_key: str


@dataclass(frozen=True, slots=True)
class NoteSource:
    """Somebody wrote a note about the alert at its source."""

    verb: ClassVar[str] = "note_source"
    signal: Signal
    signal_key: str


@dataclass(frozen=True, slots=True)
class CloseSilent:
    """It was resolved in this cycle, and its users have been silent long enough."""

    verb: ClassVar[str] = "close_silent"
    cycle: int


@dataclass(frozen=True, slots=True)
class FireReminder:
    """A reminder of `person` is due since `due_at`, or the person has left."""

    verb: ClassVar[str] = "fire_reminder"
    person: str
    due_at: datetime
    has_left: bool = False
    number: int = 1


@dataclass(frozen=True, slots=True)
class AcknowledgeAccepted:
    """Its sender accepted it in this cycle by a page, and it is not acknowledged."""

    verb: ClassVar[str] = "acknowledge_accepted"
    cycle: int


@dataclass(frozen=True, slots=True)
class AttachFile:
    """Attach a file whose content is encrypted already.

    `person`, `channel` and `message` are those of the message it came with, if any.
    """

    verb: ClassVar[str] = "attach_file"
    attachment: str
    name: str
    media_type: str
    size: int
    sha256: str
    content_sha256: str
    person: str | None = None
    channel: Channel | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class LeaveOutFile:
    """Record that a file of a message was not kept, and why."""

    verb: ClassVar[str] = "leave_out_file"
    name: str
    media_type: str
    size: int
    why: WhyLeftOut
    person: str | None = None
    channel: Channel | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class RecordScan:
    """Record what the virus scanner found in an attached file."""

    verb: ClassVar[str] = "record_scan"
    attachment: str
    verdict: ScanVerdict
    signature: str | None = None


DueCommand = CloseSilent | FireReminder | AcknowledgeAccepted
FileCommand = AttachFile | LeaveOutFile | RecordScan
MachineCommand = Trigger | Recover | Flap | AcknowledgeSource | NoteSource
AnyCommand = (
    IncidentCommand
    | ProblemCommand
    | ChangeCommand
    | MachineCommand
    | FileCommand
    | DueCommand
)
"""Every command that the rules decide."""
