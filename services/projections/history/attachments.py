"""The files attached to an incident, from its events. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.attachments.file_type import PREVIEWED
from shared.attachments.schemas import Scan
from shared.domain import events
from shared.domain.events.event import FORGOTTEN
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.targets import Channel
from shared.eventlog.entry import Entry


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as of some event; `incident` is the one it was attached to."""

    attachment: str
    incident: IncidentRef
    name: str | None
    """None once its owner was forgotten, and its content with them."""
    media_type: str
    size: int
    sha256: str
    at: datetime
    by: str
    person: events.PersonId | None
    channel: Channel | None
    message: str | None
    scan: Scan = "unscanned"
    signature: str | None = None
    removed_at: datetime | None = None
    removed_because: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether its content may be downloaded."""
        is_there = self.removed_at is None and self.name is not None
        return is_there and self.scan != "infected"

    @property
    def has_preview(self) -> bool:
        """Whether it is an image that can be shown."""
        return self.is_available and self.media_type in PREVIEWED


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file of a message that was not kept, and why."""

    name: str | None
    media_type: str
    size: int
    why: events.WhyLeftOut
    at: datetime
    person: events.PersonId | None
    message: str | None


def attachments(history: Iterable[Entry]) -> tuple[Attachment, ...]:
    """Return the attached files, in the order in which they were attached."""
    known: dict[str, Attachment] = {}
    for entry in history:
        match entry.event:
            case events.IncidentFileAttached() as event:
                known[event.attachment] = _attached(event)
            case events.IncidentFileScanned(attachment=id_) as event if id_ in known:
                known[id_] = replace(
                    known[id_], scan=event.verdict, signature=event.signature
                )
            case events.IncidentFileRemoved(attachment=id_) as event if id_ in known:
                known[id_] = replace(
                    known[id_], removed_at=event.at, removed_because=event.reason
                )
            case _:
                pass
    return tuple(known.values())


def left_out(history: Iterable[Entry]) -> tuple[LeftOut, ...]:
    """Return the files that were not kept."""
    return tuple(
        LeftOut(
            name=_named(event.name),
            media_type=event.media_type,
            size=event.size,
            why=event.why,
            at=event.at,
            person=event.person,
            message=event.message,
        )
        for entry in history
        if isinstance(event := entry.event, events.IncidentFileLeftOut)
    )


def _attached(event: events.IncidentFileAttached) -> Attachment:
    return Attachment(
        attachment=event.attachment,
        incident=event.incident,
        name=_named(event.name),
        media_type=event.media_type,
        size=event.size,
        sha256=event.sha256,
        at=event.at,
        by=event.by,
        person=event.person,
        channel=event.channel,
        message=event.message,
    )


def _named(name: str) -> str | None:
    return None if name == FORGOTTEN else name
