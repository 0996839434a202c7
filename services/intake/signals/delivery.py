"""What one request brings, and what it hears back about each element."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Literal

import orjson

from services.intake.signals.schemas import Heard

TIMER = "timer"
"""The adapter of what nobody sent: time passed."""

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
    """That a delivery is another try for a quarantined element, and whose."""

    quarantine_id: int
    by: str


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Time passed for a trouble of which something is due, or may have come due."""

    signal_key: str
    source: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """The elements of one request that are received together, or part of them.

    `first` is the index in the request of the first of them; `body` is all of the
    request, as received, for the raw store.
    """

    source: str
    adapter: str
    body: bytes
    first: int
    heard: tuple[Heard | TimePassed, ...]
    received_at: datetime
    told: bool = False
    """Whether the sender hears of a bad element; else it is kept in quarantine."""
    elements: int | None = None
    """As how many elements the whole request was read."""
    settles: RetryOf | None = None
    """The quarantined element that waits no more once this is taken."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What of the request's headers is kept with the body, to read it again."""
    event_id: str | None = None
    """The idempotency key of the request, if any."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of source and body: a body repeated is stored once.

        With other headers it may mean something else: then it is another.
        """
        alone = sha256(self.source.encode() + b"\n" + self.body).digest()
        if not self.headers:
            return alone
        return sha256(alone + dumped(self.headers)).digest()


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one element; `position` is null where nothing was appended."""

    index: int
    status: Status
    event_id: str | None = None
    dedup_key: str | None = None
    incident: str | None = None
    position: int | None = None
    error: str | None = None
    loc: tuple[str | int, ...] | None = None
    """Where in the element the error is."""
    rule: str | None = None
    """By which rule, or by which suppressor, it came to that."""
    rule_of: str | None = None
    """What the rule goes by: the name of a window, the setting of the source."""


def dumped(headers: Mapping[str, str]) -> bytes:
    """Return headers as they are kept; the same ones always alike."""
    return orjson.dumps(dict(headers), option=orjson.OPT_SORT_KEYS)


def halves(delivery: Delivery) -> tuple[Delivery, Delivery]:
    """Return a delivery of several elements as two; ValueError for a single one."""
    half = len(delivery.heard) // 2
    if not half:
        raise ValueError("one element cannot be divided")
    return (
        replace(delivery, heard=delivery.heard[:half], settles=None),
        replace(delivery, heard=delivery.heard[half:], first=delivery.first + half),
    )
