"""Correlation groups: which group a signal belongs to, and the group's incident.

A group keeps the reference of the incident it opened. If that was merged, the incident
it was merged into is used; after an unmerge, its own again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256

from services.intake.signals.rules.key_row import GroupRow
from services.intake.signals.schemas import Signal
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import LABELS, SERVICE, Correlation

MERGED_TIMES_MAX = 20
"""How many merges are followed from a group to its current incident."""


def group_key(policy: Policy, signal: Signal) -> str | None:
    """Return the key of a signal's group, or None if it belongs to none."""
    monitor = policy.monitor(signal.source)
    if monitor is None or monitor.correlate is None:
        return None
    values = [_value(policy, signal, name) for name in monitor.correlate.by]
    if not all(values):
        return None
    told = "\0".join((signal.source, *monitor.correlate.by, *map(str, values)))
    return sha256(f"group\0{told}".encode(errors="replace")).hexdigest()


def _value(policy: Policy, signal: Signal, name: str) -> str | None:
    if name == SERVICE:
        return policy.service_of(signal.source, signal.service, signal.labels)
    if name.startswith(LABELS):
        return signal.labels.get(name.removeprefix(LABELS))
    return name


def followed(
    ref: str | None, incident: Callable[[str], Incident | None]
) -> Incident | None:
    """Return the incident of that reference, or the one it was merged into."""
    for _ in range(MERGED_TIMES_MAX):
        found = incident(ref) if ref else None
        if found is None or found.status is not Status.MERGED:
            return found
        ref = found.merged_into
    return None


def at_work(
    key: str | None,
    clause: Correlation,
    groups: Mapping[str, GroupRow],
    incident: Callable[[str], Incident | None],
    moment: datetime,
) -> Incident | None:
    """Return the group's incident if it is active and was signalled recently enough."""
    group = groups.get(key) if key else None
    if group is None or group.signalled_at is None:
        return None
    if moment - group.signalled_at > clause.within:
        return None
    found = followed(group.incident, incident)
    return found if found is not None and found.status in AT_WORK else None


def signalled(
    group: GroupRow,
    ref: str,
    at: datetime,
    incident: Callable[[str], Incident | None],
) -> GroupRow:
    """Return the group after one of its signals was added to an incident."""
    before = group.signalled_at
    latest = at if before is None else max(at, before)
    meant = followed(group.incident, incident)
    kept = group.incident if meant is not None and meant.ref == ref else ref
    return group._replace(incident=kept, signalled_at=latest)
