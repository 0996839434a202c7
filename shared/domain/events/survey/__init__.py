"""The events of a satisfaction survey: who was asked, and the answer.

The streams `survey-<invitation>` are written only by intake. Each begins with the
invitation, so an incident, or a contact of a client in a period, has one for ever,
whatever is delivered or decided twice.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import ContactInvitation, IncidentRef
from shared.domain.policy.clause import Name
from shared.domain.policy.surveys import Dimension, SurveyVersion
from shared.domain.policy.targets import Channel

Choice = Annotated[int, Field(ge=1, le=5)]
"""From 1, the worst, to 5, the best."""


class SurveyInvited(Event):
    """A user was asked about the closed incident that they had reported.

    What the incident was then is kept here, so that results do not depend on what
    happens to it later.
    """

    type: Literal["survey.invited"] = "survey.invited"
    survey: Name
    version: SurveyVersion
    """The version of the questions."""
    policy: int
    incident: IncidentRef
    person: PersonId
    expires_at: AwareDatetime
    remind_at: AwareDatetime | None = None
    """When the user is reminded if they have not answered. Null: they are not."""
    service: str
    team: str
    channel: Channel | None = None
    """How the user first made contact."""
    client: str | None = None
    kept: tuple[Dimension, ...] | None = None
    """What an anonymous answer keeps of the incident. Null: the survey is not
    anonymous, and the answer is kept with its person."""


class SurveyAnswered(Event):
    """The user answered, once."""

    type: Literal["survey.answered"] = "survey.answered"
    survey: Name
    version: SurveyVersion
    incident: IncidentRef
    person: PersonId
    choices: Mapping[Name, Choice]
    """The choice for each question, by its id."""
    comment: Text | None = None


class SurveyContactInvited(Event):
    """A contact of a client was asked in a period, once."""

    type: Literal["survey.contact_invited"] = "survey.contact_invited"
    survey: Name
    version: SurveyVersion
    """The version of the questions."""
    policy: int
    invitation: ContactInvitation
    person: PersonId
    client: str
    expires_at: AwareDatetime
    remind_at: AwareDatetime | None = None
    """When the contact is reminded if they have not answered. Null: they are not."""


class SurveyContactAnswered(Event):
    """The contact of a client answered, once."""

    type: Literal["survey.contact_answered"] = "survey.contact_answered"
    survey: Name
    version: SurveyVersion
    invitation: ContactInvitation
    person: PersonId
    choices: Mapping[Name, Choice]
    """The choice for each question, by its id."""
    comment: Text | None = None


SurveyEvent = (
    SurveyInvited | SurveyAnswered | SurveyContactInvited | SurveyContactAnswered
)
