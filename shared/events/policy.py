"""What happens to the desk's policy. Its stream's versions are the policy versions."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from shared.events.event import Event
from shared.policy.names import Person

STREAM = "policy-desk"


class PolicyApplied(Event):
    """A whole policy document is in force from here on, for what comes later."""

    type: Literal["policy.applied"] = "policy.applied"
    document: dict[str, JsonValue]
    """The document in canonical form, public holidays expanded into dates."""
    text_digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the YAML text it was read from, in hex."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    approved_by: Person | None = None
    purpose: Literal["live", "demo", "test"] = "live"
    """What the log is for; the first event of a log decides it."""
