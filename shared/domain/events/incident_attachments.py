"""The events about files attached to an incident. The content is outside the log.

`intake.attachments` has it encrypted with a key of its own, which is sealed with that
of the event's `whose`; the event names it by the digest of what is stored.
"""

from typing import Annotated, Literal

from pydantic import Field

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.targets import Channel

AttachmentId = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
ScanVerdict = Literal["clean", "infected", "unscannable"]
WhyLeftOut = Literal[
    "too_large", "type", "too_many", "day_full", "empty", "cut", "set_aside"
]


class IncidentFileAttached(Event):
    """A file was attached. Until a scanner has seen it, it counts as unscanned."""

    type: Literal["incident.file_attached"] = "incident.file_attached"
    incident: IncidentRef
    policy: int
    attachment: AttachmentId
    name: Text
    media_type: str
    """Determined from the content, whatever the sender declared."""
    size: int
    """Bytes of the file."""
    sha256: str
    """SHA-256 of the encrypted content as stored, in hex."""
    content_sha256: Text
    """SHA-256 of the file itself, which identifies a repeat."""
    person: PersonId | None = None
    """Whose message it came with; None if the desk attached it."""
    channel: Channel | None = None
    message: str | None = None
    """The message that it came with."""


class IncidentFileScanned(Event):
    """The virus scanner examined an attached file."""

    type: Literal["incident.file_scanned"] = "incident.file_scanned"
    incident: IncidentRef
    policy: int
    attachment: AttachmentId
    verdict: ScanVerdict
    """`unscannable`: encrypted, or beyond the limits of the scanner."""
    signature: str | None = None
    """What the scanner found, in its own words."""


class IncidentFileRemoved(Event):
    """An attached file was removed, and its content was destroyed."""

    type: Literal["incident.file_removed"] = "incident.file_removed"
    incident: IncidentRef
    policy: int
    attachment: AttachmentId
    reason: Text


class IncidentFileLeftOut(Event):
    """A file of a message was not kept; the message itself is."""

    type: Literal["incident.file_left_out"] = "incident.file_left_out"
    incident: IncidentRef
    policy: int
    name: Text
    media_type: str
    size: int
    why: WhyLeftOut
    person: PersonId | None = None
    channel: Channel | None = None
    message: str | None = None


IncidentAttachmentEvent = (
    IncidentFileAttached
    | IncidentFileScanned
    | IncidentFileRemoved
    | IncidentFileLeftOut
)
