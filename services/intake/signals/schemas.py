"""A signal: what a monitoring source says about one trouble, whatever its format.

Two keys, never one: `event_id` is this message (a repeat of it is the same message),
`dedup_key` is the trouble (a repeat of it is the same trouble again).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import AHEAD_MAX, Instant, Title, line
from shared.domain.policy.priorities import Severity

DEDUP_KEY_MAX = 512
EVENT_ID_MAX = 256
SERVICE_MAX = 256
LABELS_MAX = 64
LABEL_MAX = 1_024
LABELS_BYTES_MAX = 16_384
DETAILS_MAX = 4_000

Action = Literal["trigger", "acknowledge", "resolve"]
"""What a source says of a trouble."""
NOTE: Literal["note"] = "note"
"""What people say of it there: words, which change nothing about it."""
AUTHOR = "author"
"""The label of a note that says who wrote it."""
_Label = Annotated[str, StringConstraints(max_length=LABEL_MAX)]


def labels_size(labels: Mapping[str, str]) -> int:
    """Return the bytes labels take in an event, where some characters take six."""
    return len(orjson.dumps(labels))


def _labels(labels: dict[str, str]) -> dict[str, str]:
    characters = sum(map(len, labels)) + sum(map(len, labels.values()))
    if characters > LABELS_BYTES_MAX // 8 and labels_size(labels) > LABELS_BYTES_MAX:
        raise PydanticCustomError(
            "too_long",
            "the labels take {size} bytes; at most {most}: send fewer or shorter",
            {"size": labels_size(labels), "most": LABELS_BYTES_MAX},
        )
    if "\x00" in "".join((*labels, *labels.values())):
        raise PydanticCustomError(
            "control_character", "a label holds the character U+0000: remove it"
        )
    return labels


_EventId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=EVENT_ID_MAX),
    AfterValidator(line),
]
_DedupKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=DEDUP_KEY_MAX),
    AfterValidator(line),
]
_Service = Annotated[
    str, StringConstraints(max_length=SERVICE_MAX), AfterValidator(line)
]
_Labels = Annotated[
    dict[_Label, _Label], Field(max_length=LABELS_MAX), AfterValidator(_labels)
]
_Details = Annotated[str, StringConstraints(max_length=DETAILS_MAX)]


class Signal(BaseModel):
    """One thing a source said. `source` is who authenticated, never what it claims.

    `details` is JSON text for people to read, cut where it is long; the raw body is
    kept beside.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    event_id: _EventId | None = None
    dedup_key: _DedupKey
    action: Literal["trigger", "acknowledge", "resolve", "note"]
    title: Title
    severity: Severity | None = None
    service: _Service | None = None
    occurred_at: Instant | None = None
    labels: _Labels = {}
    details: _Details | None = None


_SAID = {
    "extra_forbidden": "there is no such field: remove it",
    "missing": "this field is missing",
    "timezone_aware": "a time needs its zone: 2025-06-30T07:52:00Z, or with +02:00",
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """An element of a body that is no signal, why, and where in it (0 is the first)."""

    index: int
    reason: str
    loc: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Something was deployed or configured: no trouble, perhaps the cause of one."""

    summary: str
    at: datetime | None = None
    service: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Mapping[str, str], ...] = ()
    """Each with its address, `href`, and perhaps a `text`."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An element that is well understood and says nothing of any trouble.

    A test message is ignored; a `handshake` wants to know whether we are there.
    """

    index: int
    reason: str
    action: Literal["ignore", "handshake"] = "ignore"
    title: str | None = None
    confirm_url: str | None = None
    """Where a handshake is confirmed, if that takes a request of ours."""
    event_id: str | None = None
    """The name of the message, where its sender may ask its outcome."""
    change: Change | None = None
    """What it tells of, for those who look into a trouble."""


Heard = Signal | Rejected | Ignored
"""What an adapter makes of one element."""


def signal_from(
    fields: dict[str, Any], index: int, received_at: datetime
) -> Signal | Rejected:
    """Return the signal these fields make, or why they make none."""
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


def signal_key(source: str, dedup_key: str) -> str:
    """Return the key of a trouble, in hex; the clear one may tell about people."""
    return sha256(f"{source}\0{dedup_key}".encode()).hexdigest()


def default_dedup_key(source: str, service: object, title: object) -> str:
    """Return the key of a trouble whose sender names none."""
    told = f"{source}\0{service or ''}\0{title}".encode(errors="replace")
    return f"auto:{sha256(told).hexdigest()}"
