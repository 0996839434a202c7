"""The delivery that brings signals, and the results that its sender gets.

A delivery is what one request or message brought; each of its elements is a signal or a
rejection, and has a result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from services.intake.records.signal import Signal
from shared.domain.bounded_text import AHEAD_MAX

_SAID = {
    "extra_forbidden": "there is no such field: remove it",
    "missing": "this field is missing",
    "timezone_aware": "a time needs its zone: 2025-06-30T07:52:00Z, or with +02:00",
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """An element that cannot be read as a signal, the reason, and its location."""

    index: int
    reason: str
    loc: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Something was deployed or configured; not an alert, but perhaps its cause."""

    summary: str
    at: datetime | None = None
    service: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Mapping[str, str], ...] = ()
    """Each has a URL, `href`, and optionally a `text`."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An element that is valid but not about any alert.

    This may be a test message or a change; a `handshake` asks whether the endpoint
    exists.
    """

    index: int
    reason: str
    action: Literal["ignore", "handshake"] = "ignore"
    title: str | None = None
    confirm_url: str | None = None
    """The URL that confirms a handshake, if a request is needed."""
    event_id: str | None = None
    """The event id, if its sender may ask for the result."""
    change: Change | None = None
    """The change that it reports, shown with incidents."""


Heard = Signal | Rejected | Ignored
"""The result of an adapter for one element."""


def signal_from(
    fields: dict[str, Any], index: int, received_at: datetime
) -> Signal | Rejected:
    """Return the signal with these fields, or why they are invalid."""
    try:
        signal = Signal(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        return Rejected(index, _SAID.get(first["type"], first["msg"]), first["loc"])
    if signal.occurred_at and signal.occurred_at - received_at > AHEAD_MAX:
        return Rejected(
            index,
            "lies more than a day ahead: set the sender's clock",
            ("occurred_at",),
        )
    return signal


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


@dataclass(frozen=True, slots=True)
class PostponedSignal:
    """A signal that waits for the record `awaits`, or behind an earlier signal."""

    delivery: Delivery
    element: int
    signal_key: str
    awaits: str | None
    reason: str
