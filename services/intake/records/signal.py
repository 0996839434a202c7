"""A signal: what a monitoring source reports about an alert, in any format.

It has two separate keys: `event_id` identifies the message (a repeat is the same
message), `dedup_key` identifies the problem (a repeat is the same alert again).
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Instant, SignalTitle, line
from shared.domain.policy.priorities import Severity

DEDUP_KEY_MAX = 512
EVENT_ID_MAX = 256
SERVICE_MAX = 256
LABELS_MAX = 64
LABEL_MAX = 1_024
LABELS_BYTES_MAX = 16_384
DETAILS_MAX = 4_000

Action = Literal["trigger", "acknowledge", "resolve"]
"""What a source reports about an alert."""
NOTE: Literal["note"] = "note"
"""A note that people wrote at the source; it does not change the alert."""
AUTHOR = "author"
"""The label of a note that names its author."""
_Label = Annotated[str, StringConstraints(max_length=LABEL_MAX)]


def labels_size(labels: Mapping[str, str]) -> int:
    """Return the size of the labels in an event, where some characters take 6 bytes."""
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
    """One message of a source. `source` is the authenticated sender.

    `details` is JSON text for people to read, cut if too long; the raw body is stored
    separately.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    event_id: _EventId | None = None
    dedup_key: _DedupKey
    action: Literal["trigger", "acknowledge", "resolve", "note"]
    title: SignalTitle
    severity: Severity | None = None
    service: _Service | None = None
    occurred_at: Instant | None = None
    labels: _Labels = {}
    details: _Details | None = None


def signal_key(source: str, dedup_key: str) -> str:
    """Return the hashed key of an alert, in hex; the plain one may be personal data."""
    return sha256(f"{source}\0{dedup_key}".encode()).hexdigest()


def default_dedup_key(source: str, service: object, title: object) -> str:
    """Return the key of an alert whose sender gives none."""
    told = f"{source}\0{service or ''}\0{title}".encode(errors="replace")
    return f"auto:{sha256(told).hexdigest()}"
