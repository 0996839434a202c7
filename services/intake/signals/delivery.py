"""What one request delivers, and the result for each of its elements."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Literal

import orjson

from services.intake.signals.schemas import Heard

TIMER = "timer"
"""The adapter name for the passage of time, which nobody sends."""

Status = Literal[
    "opened",
    "signalled",
    "recovered",
    "held",
    "suppressed",
    "duplicate",
    "quarantined",
    "rejected",
    "ignored",
]


@dataclass(frozen=True, slots=True)
class RetryOf:
    """Marks a delivery as the retry of a quarantined element, and by whom."""

    quarantine_id: int
    by: str


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Time passed for an alert for which something is due or may be due."""

    signal_key: str
    source: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """The elements of one request that are processed together, or part of them.

    `first` is the index of the first element within the request; `body` is the entire
    request body as received, for the raw store.
    """

    source: str
    adapter: str
    body: bytes
    first: int
    heard: tuple[Heard | TimePassed, ...]
    received_at: datetime
    told: bool = False
    """Whether the sender reads the result; if not, a bad element is quarantined."""
    elements: int | None = None
    """The number of elements in the whole request."""
    settles: RetryOf | None = None
    """The quarantined element that this delivery settles."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Request headers stored with the body, so that it can be read again."""
    event_id: str | None = None
    """The idempotency key of the request, if any."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of source and body: a repeated body is stored once.

        The headers are included if there are any, since they may change the meaning.
        """
        alone = sha256(self.source.encode() + b"\n" + self.body).digest()
        if not self.headers:
            return alone
        return sha256(alone + dumped(self.headers)).digest()


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one element; `position` is null if nothing was appended."""

    index: int
    status: Status
    event_id: str | None = None
    dedup_key: str | None = None
    incident: str | None = None
    position: int | None = None
    error: str | None = None
    loc: tuple[str | int, ...] | None = None
    """The location of the error within the element."""
    rule: str | None = None
    """The rule or suppressor that decided the result."""
    rule_of: str | None = None
    """What the rule refers to: the name of a window, or a setting of the source."""


def dumped(headers: Mapping[str, str]) -> bytes:
    """Return headers as stored; equal headers always give equal bytes."""
    return orjson.dumps(dict(headers), option=orjson.OPT_SORT_KEYS)


def halves(delivery: Delivery) -> tuple[Delivery, Delivery]:
    """Split a delivery of several elements in two; ValueError for a single one."""
    half = len(delivery.heard) // 2
    if not half:
        raise ValueError("one element cannot be divided")
    return (
        replace(delivery, heard=delivery.heard[:half], settles=None),
        replace(delivery, heard=delivery.heard[half:], first=delivery.first + half),
    )
