"""Who was in touch about an incident, and who was told, as an answer shows it."""

from typing import Literal, Self

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from shared.domain.events.incident import IncidentContacted, PersonId
from shared.domain.events.notification import Kind
from shared.domain.policy.targets import Channel


class ContactView(Answer):
    """A contact, with the very words of the person."""

    person: PersonId
    direction: Literal["inbound", "outbound"]
    channel: Channel
    at: AwareDatetime
    """When they were in touch."""
    words: str | None
    waited_seconds: int | None
    """How long the person waited until the desk answered, where that is known."""
    abandoned: bool
    unconfirmed: bool = False
    """Nobody confirmed that they have to do with it: read it before you believe it."""
    sender_unconfirmed: bool = False
    """Nothing proves that it came from that person."""

    @classmethod
    def of(cls, event: IncidentContacted) -> Self:
        """Return the view of a contact."""
        told = event.model_dump()
        told |= {
            "at": event.contacted_at,
            "unconfirmed": bool(event.unconfirmed),
            "sender_unconfirmed": bool(event.sender_unconfirmed),
        }
        return cls.model_validate(told)


class NoticeView(Answer):
    """A message that left the desk, or is about to; `at` is when it came so far."""

    key: str
    kind: Kind
    audience: Literal["user", "staff"]
    person: PersonId | None
    channel: Literal["mail", "webhook"]
    state: Literal["requested", "sent", "confirmed", "failed"]
    at: AwareDatetime
    reason: str | None
    """Why it failed for good."""
