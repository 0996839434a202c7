"""Determines the SLA targets of an incident: for each one the strictest contract."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.events.sla import SlaTarget, Target
from shared.domain.incident.state import UNTOLD, Noticed
from shared.domain.policy.clause import derived
from shared.domain.policy.contracts import Contract
from shared.domain.policy.document import Policy
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import TargetSet
from shared.domain.sla.clock import whole
from shared.domain.working_time import due, hours_of


@dataclass(frozen=True)
class TargetPromise:
    """One target, from the contract with the earliest due time.

    `seconds` is working time in `calendar`; `due_at` applies if nothing stops the
    clock.
    """

    target: Target
    contract: str
    """`valmont`, or `valmont.phone` for additional targets of that contract."""
    candidates: tuple[str, ...]
    """All contracts with this target, by name."""
    calendar: str
    seconds: int
    due_at: datetime
    terms: TargetSet


Named = tuple[str, Contract]


class PromiseFacts(NamedTuple):
    """The facts of an incident that decide which contracts cover it."""

    service: str
    client: str | None
    priority: Priority
    reported_at: datetime
    noticed: Noticed = UNTOLD


class PromiseTerms(NamedTuple):
    """A contract that covers an incident: name, calendar for it, and targets."""

    name: str
    calendar: str
    targets: TargetSet


def promised(  # each parameter may affect the targets
    policy: Policy,
    service: str,
    client: str | None,
    priority: Priority,
    reported_at: datetime,
    noticed: Noticed = UNTOLD,
) -> Mapping[SlaTarget, TargetPromise]:
    """Return the targets of an incident by kind; empty if no contract covers it.

    An incident without a client is covered by every contract for its service.
    """
    about = PromiseFacts(service, client, priority, reported_at, noticed)
    found: dict[SlaTarget, list[TargetPromise]] = {"tto": [], "ttr": [], "update": []}
    for terms in covering(policy, about):
        targets: tuple[tuple[SlaTarget, timedelta | None], ...] = (
            ("tto", getattr(terms.targets.tto, priority)),
            ("ttr", getattr(terms.targets.ttr, priority)),
            ("update", getattr(terms.targets.update, priority)),
        )
        for target, delay in targets:
            if delay is not None:
                seconds = int(delay.total_seconds())
                pledge = pledged(policy, terms, target, seconds, reported_at)
                found[target].append(pledge)
    return {target: strictest(each) for target, each in found.items() if each}


def covering(policy: Policy, about: PromiseFacts) -> Iterator[PromiseTerms]:
    """Yield the contracts that cover an incident, and their additional targets."""
    for name, contract in _contracts_by_service(policy).get(about.service, ()):
        day = _local_day(policy, contract, about.reported_at)
        of_client = about.client in (None, contract.client)
        if not of_client or not contract.is_in_force(day):
            continue
        calendar = contract.calendar
        if about.priority == "p1" and contract.p1_calendar:
            calendar = contract.p1_calendar
        yield PromiseTerms(name, calendar, policy.targets[contract.targets])
        for narrower, also in contract.also.items():
            meant = also.when.means(*about.noticed, about.service, about.priority)
            if meant and also.is_in_force(day):
                targets = policy.targets[also.targets]
                yield PromiseTerms(f"{name}.{narrower}", calendar, targets)


@derived
def _contracts_by_service(policy: Policy) -> Mapping[str, Sequence[Named]]:
    """Return the contracts for each service that has any, in the order of names."""
    found: dict[str, list[Named]] = {}
    for name, contract in sorted(policy.contracts.items()):
        for service in dict.fromkeys(contract.services):
            found.setdefault(service, []).append((name, contract))
    return found


def pledged(
    policy: Policy, terms: PromiseTerms, target: Target, seconds: int, start: datetime
) -> TargetPromise:
    """Return a target with the time it would be due from `start`."""
    name, calendar, targets = terms
    hours = hours_of(policy.calendars[calendar])
    due_at = due(hours, whole(start), seconds)
    return TargetPromise(target, name, (name,), calendar, seconds, due_at, targets)


def strictest(pledges: Sequence[TargetPromise]) -> TargetPromise:
    """Return the target that is due first; of equal ones the first by name."""
    first = min(pledges, key=lambda pledge: (pledge.due_at, pledge.contract))
    names = tuple(sorted(pledge.contract for pledge in pledges))
    return replace(first, candidates=names)


def _local_day(policy: Policy, contract: Contract, at: datetime) -> date:
    zone = ZoneInfo(policy.calendars[contract.calendar].timezone)
    return at.astimezone(zone).date()
