"""The state of an invitation to a survey, computed from the events of its stream."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from shared.domain.events.survey import (
    SurveyAnswered,
    SurveyContactAnswered,
    SurveyContactInvited,
    SurveyEvent,
    SurveyInvited,
)
from shared.domain.identifiers import is_incident_ref
from shared.domain.policy.surveys import Dimension
from shared.domain.policy.targets import Channel


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody is asked: the user of an incident about it, or a contact of a client."""

    survey: str
    version: str
    policy: int
    ref: str
    """The reference of the invitation; of users, that of the incident."""
    person: str
    expires_at: datetime
    service: str | None = None
    team: str | None = None
    channel: Channel | None = None
    kept: tuple[Dimension, ...] | None = None
    """What an anonymous answer keeps of the incident. None: it is not anonymous."""
    is_answered: bool = False

    @property
    def incident(self) -> str | None:
        """The incident that it is about; None if a client is asked."""
        return self.ref if is_incident_ref(self.ref) else None

    @property
    def is_anonymous(self) -> bool:
        """Return whether the answer is kept apart from the person."""
        return self.kept is not None

    def is_over(self, now: datetime) -> bool:
        """Return whether the time to answer has passed."""
        return self.expires_at <= now


def replay_survey(events: Iterable[SurveyEvent]) -> Invitation | None:
    """Return the invitation after its events, None before the first."""
    held: Invitation | None = None
    for event in events:
        match event:
            case SurveyInvited():
                held = Invitation(
                    event.survey,
                    event.version,
                    event.policy,
                    event.incident,
                    event.person,
                    event.expires_at,
                    event.service,
                    event.team,
                    event.channel,
                    event.kept,
                )
            case SurveyContactInvited():
                held = Invitation(
                    event.survey,
                    event.version,
                    event.policy,
                    event.invitation,
                    event.person,
                    event.expires_at,
                )
            case SurveyAnswered() | SurveyContactAnswered():
                held = replace(held, is_answered=True) if held else None
            case _:
                assert_never(event)
    return held
