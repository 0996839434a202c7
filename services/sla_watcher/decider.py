"""Puts the rules of promises in order and folds incident events into a case. Pure.

Instants and policies are arguments.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.sla_watcher.clocks.arm import armed, retargeted
from services.sla_watcher.clocks.case import Case, LevelStay, PolicyOf, posted
from services.sla_watcher.clocks.completion import kept
from services.sla_watcher.clocks.timers import next_moment, told
from services.sla_watcher.clocks.user_messages import heard
from services.sla_watcher.extensions.expiry import ended
from shared.domain import events
from shared.domain.incident.case import classified_fields, counts_from, opened_fields
from shared.domain.incident.deliveries import OpenQuestion
from shared.domain.incident.state import Noticed, after_contact
from shared.domain.sla import evolve as evolve_clocks
from shared.domain.sla import whole
from shared.eventlog.entry import Entry


def decide(
    case: Case, until: datetime, at: datetime, policy_of: PolicyOf
) -> Sequence[events.SlaEvent]:
    """Return the events due at `until` and not recorded yet, one step at a time.

    Facts about the desk's work come first, then the clock: all instants before the
    newest event were decided when that event was read.
    """
    facts = (
        armed(case, at, policy_of)
        or retargeted(case, at, policy_of)
        or kept(case, at, policy_of)
        or ended(case, at)
    )
    if facts:
        return facts
    moment = next_moment(case, policy_of)
    if moment is None or moment.fires_at > until:
        return []
    return [told(case, moment, at)]


def evolve(case: Case, event: events.AnyEvent) -> Case:
    """Return the case after a decision."""
    if isinstance(event, events.PromisesMoved):
        return replace(
            case,
            policy=event.policy,
            moved_at=event.moved_at,
            moves=(*case.moves, event.operation),
        )
    if not events.is_sla_event(event):
        raise TypeError(f"{event.type} is not a decision of the watcher")
    after = replace(case, clocks=evolve_clocks(case.clocks, event))
    match event:
        case events.SlaExtensionProposed(proposed_at=at):
            return replace(after, told_at=max(case.told_at, at))
        case events.SlaArmed(kept_by="delivery", started_at=at):
            return replace(after, heard_at=case.heard_at or at)
        case _:
            return after


def next_at(case: Case, policy_of: PolicyOf) -> datetime | None:
    """Return when the next events are due if nothing else happens."""
    moment = next_moment(case, policy_of)
    return moment.fires_at if moment else None


def react(case: Case | None, entry: Entry) -> Case | None:
    """Return the case after another service's event; None before it was opened."""
    event, at = entry.event, whole(entry.recorded_at)
    if isinstance(event, events.IncidentOpened):
        return _opened(event, at)
    if case is None:
        return None
    before = case.with_reporters(event).with_question(event, at)
    moved = posted(_moved(before, entry, at), event, at)
    return heard(_told(moved, event, at), event, at)


def _opened(event: events.IncidentOpened, at: datetime) -> Case:
    return Case(
        **opened_fields(event),
        split_off=event.split_from is not None,
        told_at=whole(event.reported_at),
        heard_at=whole(event.reported_at),
        posts=(LevelStay("n1", counts_from(event, at)),),
    )


def _moved(  # noqa: PLR0911 one return a case
    case: Case, entry: Entry, at: datetime
) -> Case:
    event = entry.event
    match event:
        case events.IncidentClassified():
            return replace(case, **classified_fields(event), classified_at=at)
        case events.IncidentContacted() if (
            noticed := after_contact(case.noticed, event)
        ) != case.noticed:
            return _known_otherwise(case, noticed, at)
        case events.IncidentAcknowledged():
            return replace(case, acknowledged_at=at)
        case events.IncidentPaused(awaits_delivery=True):
            return replace(_resumed(case, at), question=OpenQuestion(entry.version))
        case events.IncidentPaused():
            return replace(_waited(case, at), pause=event.reason, paused_at=at)
        case events.IncidentResumed():
            return replace(_resumed(case, at), question=None)
        case events.IncidentRestored():
            by_itself = event.by.startswith("source:")
            return replace(case, restored_at=at, by_itself=by_itself)
        case events.IncidentRelapsed():
            return replace(case, restored_at=None, relapsed_at=at)
        case _:
            return _ended(case, event, at)


def _known_otherwise(case: Case, noticed: Noticed, at: datetime) -> Case:
    """Record that a user reported it: updates are promised from here on."""
    after = replace(case, noticed=noticed, classified_at=at)
    return after if case.user_reported else replace(after, told_at=at, heard_at=at)


def _at_work(case: Case, at: datetime) -> Case:
    """Return the case without a pause or a question: it waits for nobody any more."""
    return replace(_resumed(case, at) if case.pause else case, question=None)


def _resumed(case: Case, at: datetime) -> Case:
    after = _waited(case, at)
    return replace(after, pause=None, paused_at=None, resumed_at=at)


def _waited(case: Case, at: datetime) -> Case:
    """Record the end of a pause; the next pause ends it too."""
    if case.pause is None or case.paused_at is None:
        return case
    wait = events.Stop(since=case.paused_at, until=at, why=case.pause)
    return replace(case, waited=(*case.waited, wait))


def _ended(case: Case, event: events.AnyEvent, at: datetime) -> Case:
    match event:
        case events.IncidentResolved():
            return replace(_at_work(case, at), resolved_at=at)
        case events.IncidentReopened():
            return replace(
                _at_work(case, at),
                cycle=event.cycle,
                reopened_at=at,
                acknowledged_at=None,
                restored_at=None,
                resolved_at=None,
                by_itself=False,
            )
        case events.IncidentCancelled() | events.IncidentRedirected():
            return replace(case, gone="cancelled", gone_at=at)
        case events.IncidentMerged():
            return replace(case, gone="merged", gone_at=at)
        case events.IncidentUnmerged():
            return replace(case, gone=None, gone_at=None, back_at=at)
        case _:
            return case


def _told(case: Case, event: events.AnyEvent, at: datetime) -> Case:
    """Record what users are sent a message about, for promises of earlier versions."""
    match event:
        case (
            events.IncidentAcknowledged()
            | events.IncidentPaused(reason="user")
            | events.IncidentInformed()
            | events.IncidentRestored()
            | events.IncidentResolved()
            | events.IncidentReopened()
            | events.IncidentContacted(direction="outbound")
            | events.Escalated()
            | events.EscalationReturned()
        ):
            return replace(case, told_at=at)
        case _:
            return case
