"""The signals of heartbeats, as events of our own format. Pure.

Their ids follow from what happened: two processes tell of one silence once.
"""

from datetime import datetime
from typing import Any

from services.intake.heartbeats.beating import Beating
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Heartbeat

SOURCE = "heartbeat"
"""The source of these signals: the desk itself, under a name of its own."""


def told(held: Beating, rule: Heartbeat) -> dict[str, Any]:
    """Return the event that a heartbeat owes."""
    since = held.silent_since
    if since is None or held.owes is None:
        raise ValueError(f"{held.name} owes no signal")
    silent = held.owes == "silence"
    begun = _text(since)
    event: dict[str, Any] = {
        "event_id": f"{SOURCE}/{held.name}/{begun}/{held.owes}",
        "dedup_key": f"{SOURCE}:{held.name}",
        "action": "trigger" if silent else "resolve",
        "title": f"{held.name} is silent" if silent else f"{held.name} beats again",
        "severity": rule.severity,
        "service": rule.service,
        "labels": {"heartbeat": held.name},
        "occurred_at": begun if silent else _text(held.last_beat_at or since),
    }
    if silent:
        event["details"] = _details(held, rule)
    return event


def _details(held: Beating, rule: Heartbeat) -> dict[str, str]:
    details = {
        "expected_every": duration_text(rule.every),
        "grace": duration_text(rule.grace),
        "last_beat_at": _text(held.last_beat_at) if held.last_beat_at else "never",
    }
    if rule.calendar:
        details["calendar"] = rule.calendar
    if held.deaf_from and held.deaf_until:
        details["counted_anew"] = (
            f"the desk itself did not listen from {_text(held.deaf_from)} to "
            f"{_text(held.deaf_until)}, and counted from then"
        )
    return details


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
