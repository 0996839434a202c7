"""What a policy promises about an incident: for each target the strictest contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.events.sla import Target
from shared.policy.contracts import Contract
from shared.policy.document import Policy
from shared.policy.scales import Priority
from shared.policy.targets import TargetSet
from shared.sla.spending import whole
from shared.working_time import due, hours_of


@dataclass(frozen=True)
class Pledge:
    """One target, by the contract whose due instant comes first.

    `seconds` are working time of `calendar`; `due_at` is where nothing stops the clock.
    """

    target: Target
    contract: str
    candidates: tuple[str, ...]
    """All contracts that promise this target, by name."""
    calendar: str
    seconds: int
    due_at: datetime
    terms: TargetSet


def promised(
    policy: Policy,
    service: str,
    client: str | None,
    priority: Priority,
    reported_at: datetime,
) -> Mapping[Target, Pledge]:
    """Return what is promised, by target; empty where no contract covers it.

    An incident without a client is covered by every contract for its service.
    """
    found: dict[Target, list[Pledge]] = {"tto": [], "ttr": [], "update": []}
    for name in contracts_for(policy, service, client, reported_at):
        for pledge in _pledges(policy, name, priority, whole(reported_at)):
            found[pledge.target].append(pledge)
    return {target: _strictest(each) for target, each in found.items() if each}


def contracts_for(
    policy: Policy, service: str, client: str | None, at: datetime
) -> Iterator[str]:
    """Yield the names of the contracts that cover a service of a client then."""
    for name, contract in sorted(policy.contracts.items()):
        covers = service in contract.services and client in (None, contract.client)
        if covers and _in_force(policy, contract, at):
            yield name


def _in_force(policy: Policy, contract: Contract, at: datetime) -> bool:
    zone = ZoneInfo(policy.calendars[contract.calendar].timezone)
    day = at.astimezone(zone).date()
    return contract.from_ <= day and (contract.until is None or day < contract.until)


def _pledges(
    policy: Policy, name: str, priority: Priority, start: datetime
) -> Iterator[Pledge]:
    contract = policy.contracts[name]
    terms = policy.targets[contract.targets]
    calendar = contract.calendar
    if priority == "p1" and contract.p1_calendar:
        calendar = contract.p1_calendar
    hours = hours_of(policy.calendars[calendar])
    targets: tuple[tuple[Target, timedelta | None], ...] = (
        ("tto", getattr(terms.tto, priority)),
        ("ttr", getattr(terms.ttr, priority)),
        ("update", getattr(terms.update, priority)),
    )
    for target, delay in targets:
        if delay is not None:
            seconds = int(delay.total_seconds())
            due_at = due(hours, start, seconds)
            yield Pledge(target, name, (name,), calendar, seconds, due_at, terms)


def _strictest(pledges: list[Pledge]) -> Pledge:
    first = min(pledges, key=lambda pledge: (pledge.due_at, pledge.contract))
    names = tuple(sorted(pledge.contract for pledge in pledges))
    return Pledge(
        first.target,
        first.contract,
        names,
        first.calendar,
        first.seconds,
        first.due_at,
        first.terms,
    )
