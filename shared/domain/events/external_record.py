"""The events of an external record: one that another system keeps, such as a release.

The streams `record-<type>-<id>` are written only by intake.
"""

from typing import Literal

from pydantic import Field

from shared.domain.events.event import Actor, Event, Labels, Text
from shared.domain.identifiers import ExternalRef, IncidentRef


class ExternalRecordPut(Event):
    """Another system told what a record is now; this replaces what was known of it."""

    type: Literal["record.put"] = "record.put"
    record: ExternalRef
    name: Text
    url: Text | None = None
    """Its page in the other system."""
    state: str | None = None
    """Its state there, in the words of the other system."""
    attributes: Labels = Field(default_factory=dict)
    kept_by: Actor | None = None
    """The source that keeps the record, if a person put it."""


class ExternalRecordLinked(Event):
    """`incident` was linked to the record."""

    type: Literal["record.linked"] = "record.linked"
    record: ExternalRef
    policy: int
    incident: IncidentRef


class ExternalRecordUnlinked(Event):
    """The link of `incident` to the record was removed."""

    type: Literal["record.unlinked"] = "record.unlinked"
    record: ExternalRef
    policy: int
    incident: IncidentRef


ExternalRecordEvent = ExternalRecordPut | ExternalRecordLinked | ExternalRecordUnlinked
