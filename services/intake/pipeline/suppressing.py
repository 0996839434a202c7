"""What is said of a signal that changes nothing, or nothing yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Suppressor = Literal[
    "cancelled",
    "maintenance",
    "nothing_open",
    "older_than_recovery",
    "older_than_trigger",
    "snoozed",
    "threshold",
    "timeout",
    "transient",
]
Rule = Literal[
    "new_trouble",
    "follows_older",
    "fires_again",
    "severity_changed",
    "still_fires",
    "correlated",
    "open_after",
    "threshold",
    "maintenance_ended",
    "acknowledged",
    "noted",
    "recovered",
    "hold_down",
    "flapping",
    "timeout",
]


@dataclass(frozen=True, slots=True)
class Why:
    """Which rule or suppressor decided, what it goes by, and a sentence if one helps.

    `until` is when it ends, where that is known.
    """

    code: Rule | Suppressor
    of: str | None = None
    reason: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A signal that was suppressed. No title: titles may tell of people."""

    source: str
    signal_key: str
    event_id: str | None
    received_at: datetime
    action: str
    service: str
    why: Why
    incident: str | None
