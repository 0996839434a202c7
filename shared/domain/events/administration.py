"""What happens to the desk's policy. Its stream's versions are the policy versions.

The promises about an incident are those of another version of the policy.

In the streams `sla-<incident>`, written by the SLA watcher alone. What becomes of each
clock follows as events of its own.

What happens to the log as a whole: it goes on after a restore or a promotion.

Work announced by a command, once: signals inside are recorded and open nothing.

All of it is one stream; the recurring windows are the policy's.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import orjson
from pydantic import AwareDatetime, Field, JsonValue, StringConstraints

from shared.domain.events.event import Event, Text
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Person

STREAM = "policy-desk"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def document_bytes(document: Mapping[str, JsonValue]) -> bytes:
    """Return a canonical policy document as the bytes that are stored and hashed."""
    return orjson.dumps(document)


class PolicyApplied(Event):
    """A whole policy document is in force from here on, for what comes later.

    The event names the document; `shared.eventlog.policies` reads it.
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


class PromisesMoved(Event):
    """From here on the incident is promised what version `policy` promises.

    An incident keeps the version it was opened under until somebody says this. Its
    clocks go on from their original start, with the times they stood and what users
    agreed to; a breach stays. `operation` names the move that many incidents are part
    of: each is moved once by it.
    """

    type: Literal["promises.moved"] = "promises.moved"
    incident: IncidentRef
    policy: int
    was_policy: int
    operation: str
    moved_at: AwareDatetime
    reason: Text
    contract: str | None = None
    service: str | None = None
    """Which incidents the move is for; all where neither is given."""
    alone: bool = False
    """It is for this incident alone."""


LOG_STREAM = "log-desk"


class LogRestored(Event):
    """A new epoch of the log begins: a copy was restored, or a standby promoted.

    What was recorded after the copy was made is lost, and its positions, versions and
    references may have been told. From here on, keys and cursors name the new epoch.
    """

    type: Literal["log.restored"] = "log.restored"
    epoch: Annotated[int, Field(ge=2)]
    token: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
    """Random, so that two restores of one backup never begin the same epoch."""
    cause: Literal["restore", "promotion"]
    begins_after: Annotated[int, Field(ge=0)]
    """Position of the last event before the epoch."""
    last_seen: Annotated[int, Field(ge=0)] | None = None
    """The highest position known to have existed before, if any was known."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]


MAINTENANCE_STREAM = "maintenance-desk"
WindowRef = Annotated[str, StringConstraints(pattern=r"^MNT-[0-9]{6,12}$")]


class MaintenanceAnnounced(Event):
    """Work on a service was announced, from `start` until `until`."""

    type: Literal["maintenance.announced"] = "maintenance.announced"
    window: WindowRef
    service: str
    start: AwareDatetime
    until: AwareDatetime
    reason: Text


class MaintenanceCancelled(Event):
    """It does not take place, or ends now: what fires since then opens."""

    type: Literal["maintenance.cancelled"] = "maintenance.cancelled"
    window: WindowRef
    reason: Text | None = None
