"""Events about the desk itself: policy, maintenance and restores of the log.

The versions of the policy stream are the policy versions. Announced maintenance is in
one stream; recurring windows are in the policy. `promises.moved` is in the streams
`sla-<incident>`, written only by the SLA watcher; its effect on each clock is recorded
by further events.
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
    """A policy document came into force, for all later decisions.

    The event names the document; `shared.eventlog.policies` reads it.
    """

    type: Literal["policy.applied"] = "policy.applied"
    document_hash: Sha256
    """SHA-256 of the canonical document as UTF-8 JSON, in hex: its key in
    `log.documents`. All closed days in it are dates."""
    document_size: Annotated[int, Field(ge=1)]
    """Size of the document in bytes."""
    document: dict[str, JsonValue] | None = None
    """The document itself, only in events of shape 1."""
    text_digest: Sha256
    """SHA-256 of the YAML text it was read from, in hex."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    approved_by: Person | None = None
    purpose: Literal["live", "demo", "test"] = "live"
    """The purpose of the log; the first event of a log decides it."""


class PromisesMoved(Event):
    """The SLA targets of the incident were moved to the policy version `policy`.

    An incident keeps the version under which it was opened until this event. Its clocks
    keep their original start, their pauses and the extensions that users agreed to; a
    breach stays. `operation` names the move, which may cover many incidents and moves
    each once.
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
    """Which incidents the move covers (contract, service); all if neither is given."""
    alone: bool = False
    """The move is for this incident only."""


LOG_STREAM = "log-desk"


class LogRestored(Event):
    """A new epoch of the log began: a backup was restored, or a standby promoted.

    Events recorded after the backup are lost, although their positions, versions and
    references may have been reported. From here on, keys and cursors name the new
    epoch.
    """

    type: Literal["log.restored"] = "log.restored"
    epoch: Annotated[int, Field(ge=2)]
    token: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
    """Random, so that two restores of one backup begin different epochs."""
    cause: Literal["restore", "promotion"]
    begins_after: Annotated[int, Field(ge=0)]
    """Position of the last event before the epoch."""
    last_seen: Annotated[int, Field(ge=0)] | None = None
    """The highest position known to have existed before, if any is known."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]


MAINTENANCE_STREAM = "maintenance-desk"
WindowRef = Annotated[str, StringConstraints(pattern=r"^MNT-[0-9]{6,12}$")]


class MaintenanceAnnounced(Event):
    """Maintenance of a service was announced, from `start` until `until`."""

    type: Literal["maintenance.announced"] = "maintenance.announced"
    window: WindowRef
    service: str
    start: AwareDatetime
    until: AwareDatetime
    reason: Text


class MaintenanceCancelled(Event):
    """Maintenance was cancelled, or ends now: alerts since then open incidents."""

    type: Literal["maintenance.cancelled"] = "maintenance.cancelled"
    window: WindowRef
    reason: Text | None = None


MaintenanceEvent = MaintenanceAnnounced | MaintenanceCancelled
