"""What is answered to questions about pages."""

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.generations import AsOf
from services.projections.history.page_messages import MessageState
from services.projections.history.paging import NotPaged, PagedAs
from shared.domain.events.contact_method import MethodId
from shared.domain.events.escalation import PageTarget
from shared.domain.events.notification import Channel
from shared.domain.events.on_call import ChangeId
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Person
from shared.domain.policy.schedules import Role
from shared.domain.policy.targets import SupportLevel


class DutyView(Answer):
    """On call in a schedule, as it was recorded when it happened."""

    schedule: str
    role: Role
    since: AwareDatetime
    change: ChangeId | None
    """The override, swap or temporary schedule that put them on call; null for a turn.
    """


class PageMessageView(Answer):
    """A message of a page: over which contact method, and its latest state."""

    channel: Channel
    method: MethodId
    """The id of the method; its value is not shown."""
    state: MessageState
    """`waiting`: due later, unless somebody accepts. `not_needed`: somebody had
    accepted, or it was over, before it was due. `throttled`: the method has had as many
    pages as the limits of its channel allow; it leaves at `at`."""
    at: AwareDatetime
    reason: str | None
    """Why it failed."""
    bundle: str | None
    """The key of the bundle of pages that it was part of; null if it left alone."""


class PageStepView(Answer):
    """A step of the escalation policy, and what it meant for the person."""

    level: SupportLevel
    team: str
    policy: int
    """The version of the policy document that applied to the incident."""
    escalation_policy: str | None
    """The team's escalation policy; null for the shared steps."""
    step: int
    """From 1."""
    attempt: int | None
    who: PageTarget | None
    schedule: str | None
    team_channel: str | None
    """The channel of a team that the step goes to."""
    role: Role | None
    """Of its target; null if the step paged nobody."""
    paged: bool
    reason: PagedAs | NotPaged
    """Why they were paged, or were not."""
    at: AwareDatetime | None
    """When it was due; for a step that was not made, when it became unnecessary."""
    on_call: DutyView | None
    """The turn or change by which they were on call then."""
    others: list[Person] | None
    """Who else was paged; null for those who may not know."""
    unverified: bool
    """They had no verified contact method: the page went to the address in the
    directory."""
    quiet: bool
    """Only by mail, since the step is quiet."""
    held_until: AwareDatetime | None
    """The end of the quiet hours that held the messages back."""
    messages: list[PageMessageView]


class PagesExplained(Answer):
    """Why a person was paged for an incident, or was not, as known at `at`."""

    incident: IncidentRef
    person: Person
    at: AwareDatetime
    everything: bool
    """False: only whether they were on call. Ask with a reason for the rest."""
    on_call: list[DutyView]
    """In the schedules that page for the incident, at `at`; empty: not on call."""
    steps: list[PageStepView]
    text: list[str]
    """The same in sentences."""
    as_of: AsOf


class Question(Answer):
    """Somebody asked about the pages of a person."""

    incident: IncidentRef
    at: AwareDatetime
    by: Person
    reason: str


class Questions(Answer):
    """Who asked why a person was paged, the newest first."""

    person: Person
    items: list[Question]
    as_of: AsOf
