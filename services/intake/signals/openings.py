"""How many incidents a batch of deliveries may open; unused references leave gaps."""

from collections.abc import Mapping, Sequence

from services.intake.records.signal import Signal, signal_key
from services.intake.records.store import UNOPENED, Versioned
from services.intake.signals.rules.classification import group_key
from services.intake.signals.rules.context import KeyRow
from services.intake.signals.schemas import Delivery, Heard, TimePassed
from shared.domain.incident import AT_WORK
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Monitor


def openings(
    deliveries: Sequence[Delivery],
    rows: Mapping[str, KeyRow],
    states: Mapping[str, Versioned],
    policy: Policy,
) -> int:
    """Return the maximum number of incidents that these deliveries may open.

    One for each alert without an active incident; but one for each correlation group if
    all its signals are triggers.
    """
    heard = {_key(each) for delivery in deliveries for each in delivery.heard}
    may = {key for key in heard if key in rows and _may_open(rows[key], states)}
    groups: dict[str, str] = {}
    for source in {delivery.source for delivery in deliveries}:
        monitor = policy.monitor(source)
        if monitor is not None and monitor.correlate is not None:
            groups |= _firing_together(source, monitor, deliveries, rows, policy)
    return len({groups.get(key, key) for key in may})


def _firing_together(
    source: str,
    monitor: Monitor,
    deliveries: Sequence[Delivery],
    rows: Mapping[str, KeyRow],
    policy: Policy,
) -> dict[str, str]:
    """Return the group of each key; {} if a group may need several incidents."""
    own = [each for each in deliveries if each.source == source]
    heard = [each for delivery in own for each in delivery.heard]
    signals = [each for each in heard if isinstance(each, Signal)]
    received = [delivery.received_at for delivery in own]
    within = monitor.correlate.within if monitor.correlate else None
    due = any(row.due_at and row.source == source for row in rows.values())
    others = any(signal.action != "trigger" for signal in signals)
    timers = any(isinstance(each, TimePassed) for each in heard)
    if others or timers or due or within is None:
        return {}
    if max(received) - min(received) > within:
        return {}
    found: dict[str, str] = {}
    for signal in signals:
        key, group = signal_key(source, signal.dedup_key), group_key(policy, signal)
        if group is None or found.setdefault(key, group) != group:
            return {}
    return found


def _key(heard: Heard | TimePassed) -> str:
    match heard:
        case Signal():
            return signal_key(heard.source, heard.dedup_key)
        case TimePassed():
            return heard.signal_key
        case _:
            return ""


def _may_open(row: KeyRow, states: Mapping[str, Versioned]) -> bool:
    """Return whether a signal of this key may open an incident."""
    held = states.get(row.incident, UNOPENED) if row.incident else UNOPENED
    return held.incident is None or held.incident.status not in AT_WORK
