"""The facts that the log has for a review, and figures about the impact. Pure.

A fact is an entry of the log that a reader of the review wants to know: how it began
and was noticed, who was asked for help when, what users were told, how it ended, and
which promises were kept. It names its position, so anybody can look it up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared.domain import events
from shared.domain.events import AnyEvent, is_incident_event
from shared.domain.events.review import ReviewCause
from shared.domain.incident import Incident, replay
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import ReportKind

FACTS_MAX = 500
"""Facts of a review; of a longer history, the first ones."""
PROMISED = frozenset({"tto", "ttr"})
"""The targets that users were promised, and whose end is a fact."""
_KINDS = frozenset(
    {
        "incident.opened",
        "incident.acknowledged",
        "incident.informed",
        "incident.restored",
        "incident.relapsed",
        "incident.resolved",
        "incident.reopened",
        "incident.absorbed",
        "escalation.escalated",
        "escalation.returned",
        "escalation.paged",
        "escalation.accepted",
        "escalation.declined",
        "escalation.unanswered",
        "escalation.exhausted",
        "escalation.raised",
        "handover.requested",
        "handover.accepted",
        "handover.joined",
    }
)
"""Types of events that are facts, beside the first contact and ends of promises."""
_INSTANTS = (
    *("contacted_at", "breached_at", "met_at", "done_at"),
    *("escalated_at", "returned_at", "unanswered_at", "exhausted_at", "raised_at"),
)
"""The fields with the instant of a rule, which the delay of a service cannot change."""


class Logged(NamedTuple):
    """An event about an incident, with its position in the log."""

    position: int
    event: AnyEvent


@dataclass(frozen=True, slots=True)
class Fact:
    """An event that a review may show."""

    position: int
    at: datetime
    event: AnyEvent


@dataclass(frozen=True, slots=True)
class Figures:
    """The impact in figures. Times are wall-clock time since the first report."""

    noticed: ReportKind | None
    services: tuple[str, ...]
    acknowledged_seconds: int | None
    """Until somebody first took it on."""
    restored_seconds: int | None
    """Until service was restored for good."""
    reports: int
    """How many people reported it, or an incident that was merged into it."""
    merged: int
    """How many incidents were merged into it."""
    pages: int
    people_paged: int
    escalations: int
    messages: int
    """How often its users were informed."""
    kept: int
    """Promises to own and to resolve that were kept, and broken."""
    broken: int


def facts_of(history: Iterable[Logged]) -> tuple[Fact, ...]:
    """Return the facts of an incident, in the order of their instants."""
    found: list[Fact] = []
    is_reported = False
    for position, event in sorted(history, key=lambda each: each.position):
        if isinstance(event, events.IncidentContacted):
            is_first = not is_reported and event.direction == "inbound"
            is_reported = is_reported or is_first
        else:
            is_first = False
        if is_first or _is_fact(event):
            found.append(Fact(position, _instant(event), event))
    # Instants of promises are whole seconds: within one, the log has the order.
    found.sort(key=lambda fact: (fact.at.replace(microsecond=0), fact.position))
    return tuple(found[:FACTS_MAX])


def _is_fact(event: AnyEvent) -> bool:
    match event:
        case events.SlaBreached() | events.SlaMet() | events.SlaOverran():
            return event.target in PROMISED
        case _:
            return event.type in _KINDS


def _instant(event: AnyEvent) -> datetime:
    for name in _INSTANTS:
        at = getattr(event, name, None)
        if isinstance(at, datetime):
            return at
    return event.at


def figures_of(history: Sequence[Logged]) -> Figures | None:
    """Return the impact of an incident in figures, None if it was never opened."""
    happened = [each.event for each in sorted(history, key=lambda each: each.position)]
    incident = replay(each for each in happened if is_incident_event(each))
    if incident is None:
        return None
    paged = [each for each in happened if isinstance(each, events.EscalationPaged)]
    promises = _promises(happened)
    since = incident.reported_at
    return Figures(
        noticed=incident.noticed.kind,
        services=_services(happened),
        acknowledged_seconds=_seconds(since, _acknowledged_at(happened)),
        restored_seconds=_seconds(since, restored_at(incident)),
        reports=len(incident.reporters),
        merged=len(incident.absorbed),
        pages=len(paged),
        people_paged=len({person for each in paged for person in each.people}),
        escalations=_count(happened, events.Escalated),
        messages=_count(happened, events.IncidentInformed),
        kept=sum(not is_broken for is_broken in promises.values()),
        broken=sum(promises.values()),
    )


def restored_at(incident: Incident) -> datetime | None:
    """Return when service was restored, or the incident resolved without saying so."""
    return incident.restored_at or incident.resolved_at


def _acknowledged_at(happened: Iterable[AnyEvent]) -> datetime | None:
    taken = (e.at for e in happened if isinstance(e, events.IncidentAcknowledged))
    return next(taken, None)


def _services(happened: Iterable[AnyEvent]) -> tuple[str, ...]:
    """Return the services that it was about, each once, the last one first."""
    about = (
        event.service
        for event in happened
        if isinstance(event, events.IncidentOpened | events.IncidentClassified)
    )
    return tuple(dict.fromkeys(reversed([*about])))


def _count(happened: Iterable[AnyEvent], kind: type[AnyEvent]) -> int:
    return sum(isinstance(each, kind) for each in happened)


def _seconds(since: datetime, until: datetime | None) -> int | None:
    return None if until is None else max(0, round((until - since).total_seconds()))


def _promises(happened: Iterable[AnyEvent]) -> Mapping[tuple[str, int, int], bool]:
    """Return which promises ended, and whether they were broken, which is permanent."""
    found: dict[tuple[str, int, int], bool] = {}
    for event in happened:
        if not isinstance(event, events.SlaMet | events.SlaBreached):
            continue
        if event.target in PROMISED:
            key = event.target, event.cycle, event.round
            is_broken = isinstance(event, events.SlaBreached)
            found[key] = found.get(key, False) or is_broken
    return found


def required_because(policy: Policy, history: Iterable[Logged]) -> ReviewCause | None:
    """Return why the policy requires a review of an incident that is resolved.

    None if it does not, or not yet.
    """
    if policy.reviews is None or not policy.reviews.required_for:
        return None
    happened = [each.event for each in sorted(history, key=lambda each: each.position)]
    incident = replay(each for each in happened if is_incident_event(each))
    if incident is None or incident.resolved_at is None or incident.cancelled_at:
        return None
    wanted = policy.reviews.required_for
    if incident.priority in wanted:
        return "priority"
    is_broken = any(_promises(happened).values())
    return "breached" if is_broken and "breached" in wanted else None
