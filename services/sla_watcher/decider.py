"""Every rule about promises, put in order. Pure: instants, policies are arguments."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.sla_watcher.case import Case, PolicyOf
from services.sla_watcher.keeping import kept
from services.sla_watcher.lapsing import ended
from services.sla_watcher.promising import armed, retargeted
from services.sla_watcher.timing import next_moment, told
from shared.domain.events import AnyEvent, SlaEvent, is_sla_event
from shared.domain.events.administration import PromisesMoved
from shared.domain.events.sla import SlaExtensionProposed
from shared.domain.sla import evolve as evolve_clocks


def decide(
    case: Case, until: datetime, at: datetime, policy_of: PolicyOf
) -> Sequence[SlaEvent]:
    """Return what is so at `until` and not said yet, one step at a time.

    First what the desk did, then the clock: all instants before the newest thing it
    did were decided when that was read.
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


def evolve(case: Case, event: AnyEvent) -> Case:
    """Return the case after a decision."""
    if isinstance(event, PromisesMoved):
        return replace(
            case,
            policy=event.policy,
            moved_at=event.moved_at,
            moves=(*case.moves, event.operation),
        )
    if not is_sla_event(event):
        raise TypeError(f"{event.type} is no decision of the watcher")
    after = replace(case, clocks=evolve_clocks(case.clocks, event))
    if isinstance(event, SlaExtensionProposed):  # which its users are told of
        return replace(after, told_at=max(case.told_at, event.proposed_at))
    return after


def next_at(case: Case, policy_of: PolicyOf) -> datetime | None:
    """Return when the clock says more if nothing happens."""
    moment = next_moment(case, policy_of)
    return moment.fires_at if moment else None
