"""The full view of an incident, combined from all streams about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.promises.views import PromiseView, views
from services.projections.api.records.handovers import HandoverView
from services.projections.api.records.service_handovers import ServiceHandoverView
from services.projections.generations import AsOf
from services.projections.history.alert import Alert
from services.projections.history.history import ClockState, History
from services.projections.queue.row import QueueRow
from shared.domain.events.incident import (
    IncidentContacted,
    Origin,
    PersonId,
    SignalState,
)
from shared.domain.events.incident_ties import Relation
from shared.domain.events.notification import Kind
from shared.domain.identifiers import IncidentRef, ProblemRef
from shared.domain.incident import Incident, Status
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import Channel, PauseReason, ReportKind, SupportLevel


class ContactView(Answer):
    """A contact, in the person's own words."""

    person: PersonId
    direction: Literal["inbound", "outbound"]
    channel: Channel
    at: AwareDatetime
    """When the person contacted the desk."""
    words: str | None
    waited_seconds: int | None
    """How long the person waited until the desk answered, if known."""
    abandoned: bool
    unconfirmed: bool = False
    """Whether nobody has confirmed that the person is involved: check it first."""
    sender_unconfirmed: bool = False
    """Whether there is no proof that it came from that person."""

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
    """A message that was or will be sent; `at` is when it reached its state."""

    key: str
    kind: Kind
    audience: Literal["user", "staff"]
    person: PersonId | None
    channel: Literal["mail", "webhook"]
    state: Literal["requested", "sent", "confirmed", "failed"]
    at: AwareDatetime
    reason: str | None
    """Why it failed permanently."""


class PauseView(Answer):
    """For whom the desk waits, since when, and the question to the user."""

    reason: PauseReason
    since: AwareDatetime
    question: str | None


class LinkView(Answer):
    """How the incident is linked to another record."""

    relation: Relation
    target: str


class AlertLinkView(Answer):
    """A link of an alert to its source; only HTTP addresses are shown."""

    href: str
    text: str


class ChangeLink(Answer):
    """A link to more information about a change."""

    href: str
    text: str | None = None


class NearChangeView(Answer):
    """A deployment or configuration change, as reported by its source."""

    at: AwareDatetime
    received_at: AwareDatetime
    source: str
    summary: str | None
    """Null once the source was forgotten."""
    links: list[ChangeLink]


class IncidentView(Answer):
    """An incident. Send `version` as `If-Match`; it is also the `ETag`."""

    ref: IncidentRef
    version: int
    status: Status
    title: str
    description: str | None
    """The text of the source or the agent, or the latest edit of it."""
    labels: dict[str, str]
    """The labels of the alert that opened it, as its source sent them."""
    details: dict[str, str]
    """The other fields of that alert, by name (`annotations.summary`)."""
    source_links: list[AlertLinkView]
    """Links of that alert; HTTP only."""
    host: str | None
    """The machine it is about, if a label or detail names one."""
    runbook: str | None
    """The runbook, as the source gave it: usually an address."""
    origin: Origin
    service: str
    category: str | None
    client: str | None
    impact: Impact
    urgency: Urgency
    priority: Priority
    override: bool
    """Whether the priority was set by hand, not by the matrix."""
    classified_by: str | None
    owner_team: str
    """The desk, which remains the owner no matter who works on it."""
    team: str
    """The team that works on it now."""
    level: SupportLevel
    accepted_by: PersonId | None
    """Who accepted it at this support level."""
    assignee: PersonId | None
    reporter: PersonId | None
    reporters: list[PersonId]
    """Everyone who reported it or an incident merged into it."""
    user_reported: bool
    report_kind: ReportKind | None
    """Who noticed it; a user's report replaces an earlier value from monitoring."""
    channel: Channel | None
    """The channel on which its first user contacted the desk."""
    opened_at: AwareDatetime
    reported_at: AwareDatetime
    cycle: int
    acknowledged_by: str | None
    acknowledged_at: AwareDatetime | None
    pause: PauseView | None
    last_message: str | None
    restored_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    workaround: bool
    """Whether service was restored only by a workaround."""
    root_cause: Literal["open", "problem"] | None
    """Set if a workaround resolved it and its cause still exists: `problem` if an open
    problem investigates it, `open` if none does and one should be linked."""
    solution: str | None
    """What N1 can do by itself next time, as noted by the person who resolved it."""
    asks_for_solution: bool
    """Whether it was resolved above N1 and still lacks a solution note."""
    quick_fix: bool
    """Whether it came back a few days after it was resolved by a workaround."""
    closed_at: AwareDatetime | None
    cancelled_at: AwareDatetime | None
    signals: dict[str, SignalState]
    """The state of its signals, by key."""
    flapping: bool
    """Whether one of its signals is flapping; its recoveries are ignored for now."""
    snoozed_until: AwareDatetime | None
    """Until when repeats do not notify anybody; it may be in the past."""
    source_acknowledged: list[str]
    links: list[LinkView]
    merged_into: IncidentRef | None
    absorbed: list[IncidentRef]
    split_into: list[IncidentRef]
    problems: list[str]
    """Problems to which it is linked, including those of other organisations."""
    presumed_problems: list[ProblemRef]
    """Problems it joined only because of its service; a person has to confirm them."""
    changes: list[str]
    changes_nearby: tuple[NearChangeView, ...] = ()
    """Changes of its service that sources reported, from a day before it opened to an
    hour after service was restored; the newest first."""
    due_at: AwareDatetime | None
    """When the earliest running promise is due."""
    due_target: Literal["tto", "ttr"] | None
    breached: bool
    """Whether a promise to own or to resolve was broken in this cycle."""
    promises: list[PromiseView]
    olas: list[PromiseView]
    """What support levels owe the desk; not shown to users."""
    handover: HandoverView | None
    service_handover: ServiceHandoverView | None
    """The hand-over of its service, if this breach exceeded the service's budget."""
    contacts: list[ContactView]
    notifications: list[NoticeView]
    at: AwareDatetime
    """The instant of the answer, for which remaining times are computed."""
    as_of: AsOfAnswer

    @classmethod
    def of(
        cls, whole: History, promises: Sequence[ClockState], at: datetime, known: AsOf
    ) -> Self:
        """Return the view of a state at an instant; sets are sorted."""
        incident, row = whole.incident, whole.row
        state = {
            **incident.__dict__,
            "version": whole.version,
            "owner_team": whole.owner_team,
            **_said(whole.alert),
            **_of_the_row(row),
            "report_kind": incident.noticed.kind,
            "channel": incident.noticed.channel,
            "root_cause": incident.root_cause,
            "reporters": sorted(incident.reporters),
            "signals": dict(sorted(incident.signals.items())),
            "flapping": incident.flapping,
            "source_acknowledged": sorted(incident.source_acknowledged),
            **_ties(incident),
            "promises": views(promises, whole.wording, operational=False),
            "olas": views(promises, whole.wording, operational=True),
            "handover": whole.handover,
            "service_handover": whole.service_handover,
            "contacts": [ContactView.of(event) for event in whole.contacts],
            "notifications": list(whole.notices),
            "at": at,
            "as_of": known,
        }
        return cls.model_validate(state)


def _ties(incident: Incident) -> dict[str, object]:
    """Return the links of an incident to other records, sorted."""
    links = sorted(incident.links)
    return {
        "links": [{"relation": name, "target": target} for name, target in links],
        "problems": sorted(incident.problems),
        "presumed_problems": sorted(incident.presumed_problems),
        "changes": [target for name, target in links if name == "change"],
        "absorbed": sorted(incident.absorbed),
        "split_into": sorted(incident.split_into),
    }


def _of_the_row(row: QueueRow) -> dict[str, object]:
    """Return the fields that the queue shows too; they come from all streams."""
    return {
        "team": row.team,
        "level": row.level,
        "accepted_by": row.accepted_by,
        "user_reported": row.user_reported,
        "due_at": row.due_at,
        "due_target": row.due_target,
        "breached": row.breached,
        "quick_fix": row.quick_fix,
    }


def _said(alert: Alert) -> dict[str, object]:
    """Return the data of an alert's source, by the field names of the answer."""
    return {
        "labels": alert.labels,
        "details": alert.details,
        "source_links": alert.links,
        "host": alert.host,
        "runbook": alert.runbook,
    }
