"""An incident as its own page shows it: what all streams about it add up to.

Who was in touch about an incident, and who was told, as an answer shows it.
"""

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


class PauseView(Answer):
    """Whom the desk waits for, since when, and what the user was asked."""

    reason: PauseReason
    since: AwareDatetime
    question: str | None


class LinkView(Answer):
    """What the incident has to do with another record."""

    relation: Relation
    target: str


class AlertLinkView(Answer):
    """Where the source of an alert tells more; by HTTP, whatever else it wrote."""

    href: str
    text: str


class ChangeLink(Answer):
    """Where more is told of a change."""

    href: str
    text: str | None = None


class NearChangeView(Answer):
    """Something that was deployed or configured, as its source told."""

    at: AwareDatetime
    received_at: AwareDatetime
    source: str
    summary: str | None
    """Null once the source is forgotten."""
    links: list[ChangeLink]


class IncidentView(Answer):
    """An incident. `version` goes into `If-Match`; it also stands in `ETag`."""

    ref: IncidentRef
    version: int
    status: Status
    title: str
    description: str | None
    """What the source or the agent wrote, or it was last edited to."""
    labels: dict[str, str]
    """Of the alert that opened it, as its source wrote them."""
    details: dict[str, str]
    """What that source said beside, by field (`annotations.summary`)."""
    source_links: list[AlertLinkView]
    """What it points to, over HTTP."""
    host: str | None
    """The machine it is about, if a label or detail names one."""
    runbook: str | None
    """What to do about it, as the source says: mostly an address."""
    origin: Origin
    service: str
    category: str | None
    client: str | None
    impact: Impact
    urgency: Urgency
    priority: Priority
    override: bool
    """The priority was set by hand, not by the matrix."""
    classified_by: str | None
    owner_team: str
    """The desk, which stays its owner whoever works on it."""
    team: str
    """Whose work it is now."""
    level: SupportLevel
    accepted_by: PersonId | None
    """Who took it on at this level."""
    assignee: PersonId | None
    reporter: PersonId | None
    reporters: list[PersonId]
    """Everybody who reported it or an incident merged into it."""
    user_reported: bool
    report_kind: ReportKind | None
    """Who noticed it; a user's report outweighs what monitoring said before."""
    channel: Channel | None
    """On which its first user was in touch."""
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
    """Service is back by a workaround only."""
    root_cause: Literal["open", "problem"] | None
    """Resolved on a workaround, its cause is still there: an open problem looks for it,
    or nobody (`open`) and one should be linked."""
    solution: str | None
    """What N1 can do by itself next time, as whoever solved it noted."""
    asks_for_solution: bool
    """It was resolved above N1, and nobody has noted that."""
    quick_fix: bool
    """It came back a few days after it was resolved on a workaround."""
    closed_at: AwareDatetime | None
    cancelled_at: AwareDatetime | None
    signals: dict[str, SignalState]
    """Its signals by key, and how they stand."""
    flapping: bool
    """A signal of it goes up and down; its recoveries are not believed yet."""
    snoozed_until: AwareDatetime | None
    """Until when no news is made of its repeats; it may be past."""
    source_acknowledged: list[str]
    links: list[LinkView]
    merged_into: IncidentRef | None
    absorbed: list[IncidentRef]
    split_into: list[IncidentRef]
    problems: list[str]
    """Problems it is linked to, also of other houses."""
    presumed_problems: list[ProblemRef]
    """Problems it joined by its service alone: to be confirmed by a person."""
    changes: list[str]
    changes_nearby: tuple[NearChangeView, ...] = ()
    """What was changed on its service, from a day before it opened to an hour after
    service was back, as sources told; the newest first."""
    due_at: AwareDatetime | None
    """When the first promise that runs is due."""
    due_target: Literal["tto", "ttr"] | None
    breached: bool
    """A promise to own or to resolve was broken in this cycle."""
    promises: list[PromiseView]
    olas: list[PromiseView]
    """What support levels owe the desk; not for users."""
    handover: HandoverView | None
    service_handover: ServiceHandoverView | None
    """Of its service, where its breach was one too many."""
    contacts: list[ContactView]
    notifications: list[NoticeView]
    at: AwareDatetime
    """The instant the answer tells of: what is left of promises is counted then."""
    as_of: AsOfAnswer

    @classmethod
    def of(
        cls, whole: History, promises: Sequence[ClockState], at: datetime, known: AsOf
    ) -> Self:
        """Return the view of a state at an instant; what has no order is sorted."""
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
    """Return what an incident has to do with other records, sorted."""
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
    """Return what the queue has of it too: it takes all streams to say it."""
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
    """Return what the source of an alert said, by the names the answer has for it."""
    return {
        "labels": alert.labels,
        "details": alert.details,
        "source_links": alert.links,
        "host": alert.host,
        "runbook": alert.runbook,
    }
