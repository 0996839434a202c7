"""What happens to the desk's policy. Its stream's versions are the policy versions."""

from collections.abc import Mapping
from typing import Annotated, Literal

import orjson
from pydantic import Field, JsonValue, StringConstraints

from shared.events.event import Event
from shared.policy.names import Person

STREAM = "policy-desk"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def document_bytes(document: Mapping[str, JsonValue]) -> bytes:
    """Return a canonical policy document as the bytes that are stored and hashed."""
    return orjson.dumps(document)


class PolicyApplied(Event):
    """A whole policy document is in force from here on, for what comes later.

    The event names the document; `shared.policies` reads it.
    """

    type: Literal["policy.applied"] = "policy.applied"
    document_hash: Sha256
    """SHA-256 of the canonical document as UTF-8 JSON, in hex: its key in
    `log.documents`. All closed days are dates in it."""
    document_size: Annotated[int, Field(ge=1)]
    """Bytes of the same."""
    document: dict[str, JsonValue] | None = None
    """The document itself, in events written in shape 1 only."""
    text_digest: Sha256
    """SHA-256 of the YAML text it was read from, in hex."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    approved_by: Person | None = None
    purpose: Literal["live", "demo", "test"] = "live"
    """What the log is for; the first event of a log decides it."""
