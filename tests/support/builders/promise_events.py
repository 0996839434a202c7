"""Events of promises and of looking for help, with all a test does not care about."""

from datetime import datetime, timedelta
from typing import Any

from shared.domain.events import EVENT_TYPES
from tests.support.strategies.histories import START
from tests.support.strategies.interleaved_streams import AboutIncident

_HEAD = {"at": START, "by": "system:sla_watcher", "policy": 1, "cycle": 1}
_TERMS = {
    "contract": "valmont",
    "candidates": ("valmont",),
    "calendar": "always",
    "seconds": 3_600,
}
_FIELDS: dict[str, dict[str, Any]] = {
    "sla.armed": {**_TERMS, "started_at": START},
    "sla.warned": {"percent": 75},
    "sla.breached": {"contract": "valmont", "seconds": 3_600},
    "sla.met": {"elapsed_seconds": 60, "seconds": 3_600},
    "sla.overran": {"elapsed_seconds": 4_000, "overrun_seconds": 400},
    "sla.retargeted": _TERMS,
    "sla.cancelled": {"reason": "recovered"},
    "sla.paused": {"reason": "user", "elapsed_seconds": 60, "left_seconds": 3_540},
    "escalation.escalated": {
        "from_level": "n1",
        "to_level": "n2",
        "team": "network",
        "cause": "dwell",
        "escalated_at": START,
    },
    "escalation.returned": {
        "from_level": "n2",
        "to_level": "n1",
        "team": "desk",
        "returned_at": START,
    },
    "escalation.accepted": {"level": "n2", "person": "amina", "how": "accepted"},
}


def told(kind: str, ref: str, /, **given: object) -> AboutIncident:
    """Return an event of this kind about an incident."""
    whole = {**_HEAD, **_FIELDS.get(kind, {}), "incident": ref, **given}
    return EVENT_TYPES[kind].model_validate(whole)  # type: ignore[return-value] # by kind


def minute(number: int) -> datetime:
    """Return the instant so many minutes after the start."""
    return START + timedelta(minutes=number)


def armed(ref: str, target: str, due: int, **given: object) -> AboutIncident:
    """Return a promise that is due at a minute."""
    return told("sla.armed", ref, target=target, due_at=minute(due), **given)


def breached(ref: str, target: str, due: int) -> AboutIncident:
    """Return a broken promise that was due at a minute."""
    at = minute(due)
    return told("sla.breached", ref, target=target, due_at=at, breached_at=at)
