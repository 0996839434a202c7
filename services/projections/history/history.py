"""An incident and everything about it, replayed from the entries of its streams.

Includes the texts that people wrote about promises, the changes of its service near it
in time, the messages sent because of it with their states, and the state of its
promises at an instant, in open hours.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson

from services.projections.handovers import Handover
from services.projections.history.alert import Alert, alert
from services.projections.history.attachments import Attachment, attachments
from services.projections.history.past import Past
from services.projections.history.shares import waiting_since
from services.projections.queue.row import QueueRow
from shared.database.cursors import Cursors
from shared.domain import events
from shared.domain.events.notification import Channel
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.sla import Clock, ClockName, left, original_due, spent
from shared.domain.working_time import Hours, hours_of
from shared.eventlog.entry import Entry
from shared.eventlog.unreadable import UnreadableEvent
from shared.vault.vault import Vault


@dataclass(frozen=True)
class Wording:
    """The reason and the answer of each extension; the reason of each attribution."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    attributions: Mapping[ClockName, str | None] = field(default_factory=dict)


def wording(past: Iterable[Entry]) -> Wording:
    """Return the texts in the events about an incident's promises."""
    reasons: dict[str, str] = {}
    evidence: dict[str, str] = {}
    attributions: dict[ClockName, str | None] = {}
    for entry in past:
        match entry.event:
            case events.SlaExtensionProposed(extension=ref, reason=reason):
                reasons[ref] = reason
            case (
                events.SlaExtensionAccepted(extension=ref, evidence=str(said))
                | events.SlaExtensionRefused(extension=ref, evidence=str(said))
            ):
                evidence[ref] = said
            case events.SlaBreachAttributed() as event:
                name = ClockName(event.target, event.cycle, event.round)
                attributions[name] = event.reason
            case _:
                pass
    return Wording(reasons, evidence, attributions)


BEFORE = timedelta(hours=24)
"""How long before the opening of an incident a change may have caused it."""
AFTER = timedelta(hours=1)
"""How long after the restoration of service a change is shown as its possible cause."""
SHOWN_MAX = 20
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)

_NEAR = """
SELECT change_key, happened_at, received_at, source, sealed
FROM intake.observed_changes
WHERE service = %(service)s
  AND happened_at BETWEEN %(since)s AND %(until)s AND received_at <= %(known)s
ORDER BY happened_at DESC, change_key LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class NearChange:
    """A change that a source reported; without text once the source was forgotten."""

    at: datetime
    received_at: datetime
    source: str
    summary: str | None
    links: tuple[Mapping[str, str], ...]


def changes_near(
    cursor: Cursors,
    vault: Vault,
    service: str,
    span: tuple[datetime, datetime],
    known: datetime,
) -> tuple[NearChange, ...]:
    """Return the changes of a service in a time span, as known at an instant.

    The newest first, at most `SHOWN_MAX`.
    """
    since, until = span
    asked = {
        "service": service,
        "since": max(since, _FIRST + BEFORE) - BEFORE,
        "until": min(until, _LAST - AFTER) + AFTER,
        "known": known,
        "limit": SHOWN_MAX,
    }
    rows = cursor.execute(_NEAR, asked).fetchall()
    return tuple(_change(vault, *row) for row in rows)


def _change(
    vault: Vault,
    key: bytes,
    at: datetime,
    received_at: datetime,
    source: str,
    sealed: str,
) -> NearChange:
    opened = vault.open(sealed, f"change|{key.hex()}")
    words: dict[str, Any] = orjson.loads(opened) if opened else {}
    links = tuple(words.get("links", ()))
    return NearChange(at, received_at, source, words.get("summary"), links)


@dataclass(frozen=True)
class Notice:
    """A message after some of its events; `at` is when it reached its state."""

    key: str
    kind: events.Kind
    audience: Literal["user", "staff"]
    person: events.PersonId | None
    channel: Channel
    state: Literal["requested", "throttled", "sent", "confirmed", "delivered", "failed"]
    at: datetime
    reason: str | None = None
    """Why it failed permanently."""
    until: datetime | None = None
    """Until when the limits of its contact method hold it back."""
    bundle: str | None = None
    """The key of the bundle that it was part of."""
    team_channel: str | None = None
    """The channel of a team that it goes to."""


def notices(history: Iterable[Entry]) -> tuple[Notice, ...]:
    """Return the messages after `history`, in the order in which they were requested.

    An event about a message without a request is ignored: the request is parked.
    """
    known: dict[str, Notice] = {}
    for entry in history:
        match entry.event:
            case events.NotificationRequested() as event:
                known[event.key] = Notice(
                    key=event.key,
                    kind=event.kind,
                    audience=event.audience,
                    person=event.person,
                    channel=event.channel,
                    team_channel=event.team_channel,
                    state="requested",
                    at=event.at,
                )
            case events.NotificationThrottled(until=until) as event:
                _move(known, event.key, state="throttled", at=event.at, until=until)
            case events.NotificationSent(bundle=bundle) as event:
                _move(
                    known,
                    event.key,
                    state="sent",
                    at=event.at,
                    until=None,
                    bundle=bundle,
                )
            case events.NotificationConfirmed() as event:
                _move(known, event.key, state="confirmed", at=event.at)
            case events.NotificationDelivered() as event:
                _move(known, event.key, state="delivered", at=event.at)
            case events.NotificationFailed(reason=why) as event:
                _move(known, event.key, state="failed", at=event.at, reason=why)
            case _:
                pass
    return tuple(known.values())


def _move(known: dict[str, Notice], key: str, **changes: object) -> None:
    if key in known:
        known[key] = _changed(known[key], changes)


def _changed(notice: Notice, changes: Mapping[str, object]) -> Notice:
    return replace(notice, **changes)  # type: ignore[arg-type] # given right above


Policies = Callable[[int], Policy]
"""Returns the policy of a version; raises LookupError if the log has none."""


UNCOUNTABLE = (ValueError, OverflowError)
"""The errors of counting open hours of a promise whose values cannot be."""


@dataclass(frozen=True)
class ClockState:
    """A clock, and working seconds at an instant; `left` is negative when over.

    `original_due_at` is when it would be due without extensions; pauses move it as they
    move the due date. All are None if the log does not contain the calendar, or if
    its open hours cannot be counted.
    """

    clock: Clock
    elapsed: int | None
    left: int | None
    original_due_at: datetime | None


def standings(
    clocks: Iterable[Clock], policies: Policies, at: datetime
) -> tuple[ClockState, ...]:
    """Return the state of each promise at `at`, by the calendar it was made with."""
    return tuple(_standing(clock, hours_under(clock, policies), at) for clock in clocks)


def _standing(clock: Clock, hours: Hours | None, at: datetime) -> ClockState:
    if hours is None:
        return ClockState(clock, None, None, None)
    try:
        over = spent(clock, hours, at), left(clock, hours, at)
        return ClockState(clock, *over, original_due(clock, hours))
    except UNCOUNTABLE:
        return ClockState(clock, None, None, None)


def hours_under(clock: Clock, policies: Policies) -> Hours | None:
    """Return the hours of the calendar a promise was made with; None without it."""
    try:
        return hours_of(policies(clock.policy).calendars[clock.calendar])
    except LookupError:
        return None


@dataclass(frozen=True)
class History:
    """The combined state of an incident's streams; `version` is of its own stream."""

    incident: Incident
    version: int
    row: QueueRow
    """Its row in the queue: who works on it, what is due."""
    owner_team: str
    """The desk that opened it and remains its owner."""
    alert: Alert
    """The data of its first alert."""
    clocks: tuple[Clock, ...]
    contacts: tuple[events.IncidentContacted, ...]
    attachments: tuple[Attachment, ...]
    notices: tuple[Notice, ...]
    handover: Handover | None
    service_handover: Handover | None
    """The hand-over of its service, if this breach exceeded the service's budget."""
    wording: Wording
    """The texts that people wrote about promises."""
    question_received_at: datetime | None
    """Since when it waits for a user who knows the question."""
    unreadable: tuple[UnreadableEvent, ...]
    """Where what is known of a stream ends, because an event cannot be read."""


def whole(past: Past) -> History | None:
    """Return the incident after what can be read of its past; None if never opened."""
    incident, row, clocks, handover, service_handover = past.state
    if incident is None or row is None:
        return None
    own = [e.event for e in past.entries if events.is_incident_event(e.event)]
    opening = next(e for e in own if isinstance(e, events.IncidentOpened))
    return History(
        incident=incident,
        version=row.version,
        row=row,
        owner_team=opening.team,
        alert=alert(opening),
        clocks=clocks,
        attachments=attachments(past.entries),
        contacts=tuple(e for e in own if isinstance(e, events.IncidentContacted)),
        notices=notices(past.entries),
        handover=handover,
        service_handover=service_handover,
        wording=wording(past.entries),
        question_received_at=waiting_since(past.entries),
        unreadable=past.unreadable,
    )
