"""Longer delays, and whose a breach is, as an answer shows them."""

from typing import Self

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.incident.agreements import Wording
from shared.domain.events.event import Actor
from shared.domain.events.incident import PersonId
from shared.domain.events.sla import Party
from shared.domain.identifiers import ExtensionRef
from shared.domain.policy.targets import Channel
from shared.domain.sla import Clock, Extension
from shared.domain.sla.clock import ExtensionState


class ExtensionView(Answer):
    """A longer delay that the users were asked for, and what they said."""

    ref: ExtensionRef
    state: ExtensionState
    proposed_by: Actor
    proposed_at: AwareDatetime
    proposed_due_at: AwareDatetime
    was_due_at: AwareDatetime | None
    """When it was due then; null while it stood."""
    reason: str | None
    """Why it was asked for, as the users read it."""
    expires_at: AwareDatetime
    answered_at: AwareDatetime | None
    answered_by: PersonId | None
    """Whose word it is."""
    recorded_by: Actor | None
    """Who took it down."""
    channel: Channel | None
    evidence: str | None
    after_breach: bool
    """It was accepted when the promise was broken already: the breach stays."""

    @classmethod
    def of(cls, extension: Extension, words: Wording) -> Self:
        """Return the view of a longer delay."""
        known = {
            "reason": words.reasons.get(extension.ref),
            "evidence": words.evidence.get(extension.ref),
        }
        return cls.model_validate({**extension.__dict__, **known})


class AttributionView(Answer):
    """Whose a breach is, by the last word of a manager."""

    party: Party
    """`provider` is us."""
    who: PersonId | None
    reason: str | None
    evidence: list[int]
    """Positions in the log of what shows it."""
    by: Actor
    at: AwareDatetime

    @classmethod
    def of(cls, clock: Clock, words: Wording) -> Self | None:
        """Return the view of whose the breach of a clock is, None where nobody said."""
        if clock.attributed is None:
            return None
        reason = words.attributions.get(clock.name)
        return cls.model_validate({**clock.attributed.__dict__, "reason": reason})
