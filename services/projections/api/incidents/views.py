"""The full view of an incident, combined from all streams about it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal, Self, get_args, get_origin

from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer
from services.projections.api.promises.views import PromiseView, views
from services.projections.api.records.handovers import HandoverView, ServiceHandoverView
from services.projections.api.unreadable import UnreadableView
from services.projections.generations import AsOf
from services.projections.history.history import ClockState, History
from shared.attachments.schemas import Scan
from shared.domain import events
from shared.domain.events.notification import Channel as NotificationChannel
from shared.domain.identifiers import IncidentRef, ProblemRef
from shared.domain.incident import Incident, Status
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import Channel, PauseReason, ReportKind, SupportLevel

_IN_THE_QUEUE = (
    "team",
    "level",
    "accepted_by",
    "user_reported",
    "due_at",
    "due_target",
    "breached",
    "quick_fix",
)
"""Fields that the queue shows too; they come from all streams."""


class ContactView(Answer):
    """A contact, in the person's own words."""

    person: events.PersonId
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
    def of(cls, event: events.IncidentContacted) -> Self:
        """Return the view of a contact."""
        told = event.model_dump()
        told |= {
            "at": event.contacted_at,
            "unconfirmed": bool(event.unconfirmed),
            "sender_unconfirmed": bool(event.sender_unconfirmed),
        }
        return cls.model_validate(told)


class AttachmentView(Answer):
    """An attached file."""

    attachment: events.AttachmentId
    incident: IncidentRef
    """The incident it was attached to, perhaps one that was merged into this one."""
    name: str | None
    """Null once its owner was forgotten: its content is gone, too."""
    media_type: str
    """Determined from the content."""
    size: int
    sha256: str
    """SHA-256 of the encrypted content as stored, in hex."""
    at: AwareDatetime
    by: str
    person: events.PersonId | None
    """Whose message it came with; null if the desk attached it."""
    channel: Channel | None
    message: str | None
    """The message it came with: for a mail, its `letter`."""
    scan: Scan
    signature: str | None
    """What the virus scanner found."""
    removed_at: AwareDatetime | None
    removed_because: str | None
    is_available: bool
    """Whether it can be downloaded: not removed, forgotten or infected."""
    has_preview: bool
    """Whether it is an image that can be shown."""


class LeftOutView(Answer):
    """A file of a message that was not kept, and why."""

    name: str | None
    media_type: str
    size: int
    why: events.WhyLeftOut
    at: AwareDatetime
    person: events.PersonId | None
    message: str | None


class NoticeView(Answer):
    """A message that was or will be sent; `at` is when it reached its state."""

    key: str
    kind: events.Kind
    audience: Literal["user", "staff"]
    person: events.PersonId | None
    channel: NotificationChannel
    team_channel: str | None
    """The channel of a team that it goes to, by its name in the policy."""
    state: Literal["requested", "throttled", "sent", "confirmed", "delivered", "failed"]
    at: AwareDatetime
    reason: str | None
    """Why it failed permanently."""
    until: AwareDatetime | None
    """If it is `throttled`: until when the limits of its contact method hold it back.
    """
    bundle: str | None
    """The key of the bundle that it was part of; null if it left alone."""


class PauseView(Answer):
    """For whom the desk waits, since when, and the question to the user."""

    reason: PauseReason
    since: AwareDatetime
    question: str | None
    received_at: AwareDatetime | None
    """When a user received the question, from when on clocks stop; of pauses before
    that was kept, when it was asked. Null while none has, and for other reasons."""


class ReminderView(Answer):
    """When a person wants to be reminded of the incident, and of what."""

    person: events.PersonId
    number: int
    """Which of the person's reminders it is."""
    due_at: AwareDatetime
    note: str | None
    reminded: bool
    """Whether it became due and the person was notified."""


class LinkView(Answer):
    """How the incident is linked to another record."""

    relation: events.Relation
    target: str
    title: str | None = None
    """The title of the other record; null for one that is not of this desk."""
    status: str | None = None
    """The state of the other record; of an external one in the words of its system."""


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


def empty_of(kind: object) -> object:
    """Return the value of a field that is not shown; `TypeError` if it has none."""
    if type(None) in get_args(kind):
        return None
    empty = {bool: False, list: [], tuple: (), dict: {}}
    origin = get_origin(kind) or kind
    for each, value in empty.items():
        if origin is each:
            return value
    raise TypeError(f"say in FOR_CLIENTS whether clients see {kind}")


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
    origin: events.Origin
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
    accepted_by: events.PersonId | None
    """Who accepted it at this support level."""
    assignee: events.PersonId | None
    reporter: events.PersonId | None
    reporters: list[events.PersonId]
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
    redirected_to: str | None
    """Where it was handed if it was a request: a destination of the policy."""
    signals: dict[str, events.SignalState]
    """The state of its signals, by key."""
    flapping: bool
    """Whether one of its signals is flapping; its recoveries are ignored for now."""
    snoozed_until: AwareDatetime | None
    """Until when repeats do not notify anybody; it may be in the past."""
    reminders: list[ReminderView]
    """The reminders of all people; one that was due is kept until it is cleared."""
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
    attachments: list[AttachmentView]
    """Its files; those of incidents that were merged into it are in the list of
    attachments."""
    notifications: list[NoticeView]
    actions: tuple[str, ...] = ()
    """The commands that the caller may give now: each is the end of a path below that
    of the incident. Empty for the past, and for those who may only read."""
    refused: dict[str, str] = Field(default_factory=dict)
    """Why other commands would be refused now, whatever their body says, by the end of
    their path. One that would merely change nothing is not among them."""
    unreadable: list[UnreadableView]
    """Events about it that could not be used: they cannot be read, or cannot have
    happened after those before them."""
    at: AwareDatetime
    """The instant of the answer, for which remaining times are computed."""
    as_of: AsOf

    @classmethod
    def of(
        cls, whole: History, promises: Sequence[ClockState], at: datetime, known: AsOf
    ) -> Self:
        """Return the view of a state at an instant; sets are sorted."""
        incident = whole.incident
        state = {
            **incident.__dict__,
            "version": whole.version,
            "owner_team": whole.owner_team,
            **{name: getattr(whole.row, name) for name in _IN_THE_QUEUE},
            **_alert(whole),
            "report_kind": incident.noticed.kind,
            "channel": incident.noticed.channel,
            "root_cause": incident.root_cause,
            "reporters": sorted(incident.reporters),
            "signals": dict(sorted(incident.signals.items())),
            "flapping": incident.flapping,
            "reminders": _reminders(incident),
            "source_acknowledged": sorted(incident.source_acknowledged),
            **_ties(incident),
            "promises": views(promises, whole.wording, operational=False),
            "olas": views(promises, whole.wording, operational=True),
            "handover": whole.handover and HandoverView.of(whole.handover),
            "service_handover": (
                whole.service_handover
                and ServiceHandoverView.of(whole.service_handover)
            ),
            "pause": _pause(whole),
            "attachments": list(whole.attachments),
            "contacts": [ContactView.of(event) for event in whole.contacts],
            "notifications": list(whole.notices),
            "unreadable": list(whole.unreadable),
            "at": at,
            "as_of": known,
        }
        return cls.model_validate(state)

    def for_client(self) -> Self:
        """Return what somebody of the client sees: nothing that is the desk's own."""
        told = [each for each in self.notifications if each.audience == "user"]
        own = {name: _EMPTY[name] for name in type(self).model_fields if name in _EMPTY}
        gaps = [each.for_client() for each in self.unreadable]
        own |= {"notifications": told, "unreadable": gaps}
        return self.model_copy(update=own)


def _alert(whole: History) -> Mapping[str, object]:
    """Return what the source said about its alert."""
    return {
        "labels": whole.alert.labels,
        "details": whole.alert.details,
        "source_links": whole.alert.links,
        "host": whole.alert.host,
        "runbook": whole.alert.runbook,
    }


FOR_CLIENTS = frozenset(
    {
        "ref", "version", "status", "title", "description", "origin", "service",
        "category", "client", "impact", "urgency", "priority", "override", "owner_team",
        "team", "level", "reporter", "reporters", "user_reported", "report_kind",
        "channel", "opened_at", "reported_at", "cycle", "acknowledged_at", "pause",
        "last_message", "restored_at", "resolved_at", "workaround", "closed_at",
        "cancelled_at", "merged_into", "due_at", "due_target", "breached", "promises",
        "contacts", "notifications", "unreadable", "at", "as_of",
    }
)  # fmt: skip
"""The fields that somebody of the client sees; every other one is empty for them."""
_EMPTY: Mapping[str, object] = {
    name: empty_of(field.annotation)
    for name, field in IncidentView.model_fields.items()
    if name not in FOR_CLIENTS
}


def _pause(whole: History) -> dict[str, object] | None:
    """Return for whom it waits, and whether they know."""
    pause = whole.incident.pause
    if pause is None:
        return None
    received_at = whole.question_received_at if pause.reason == "user" else None
    return {**asdict(pause), "received_at": received_at}


def _reminders(incident: Incident) -> list[dict[str, object]]:
    """Return the reminders of all people, sorted."""
    return [
        {"person": person, "number": number, **asdict(each)}
        for person, held in sorted(incident.reminders.items())
        for number, each in sorted(held.items())
    ]


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
