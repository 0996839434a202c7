"""The records that only intake writes: incidents, problems, changes, external ones.

Each record has its own stream, and its state follows from the events of that stream.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from typing_extensions import TypeIs

from shared.domain import change, external_record, problem
from shared.domain import incident as domain_incident
from shared.domain.change import Change
from shared.domain.events import (
    AnyEvent,
    ChangeEvent,
    ExternalRecordEvent,
    IncidentEvent,
    ProblemEvent,
)
from shared.domain.external_record import ExternalRecord
from shared.domain.identifiers import (
    change_ref,
    external_record_of,
    external_stream,
    incident_ref,
    is_external_ref,
    problem_ref,
)
from shared.domain.incident import Incident
from shared.domain.problem import Problem

OwnRecord = Incident | Problem | Change
"""The records that the desk keeps itself: commands are about these."""
Record = OwnRecord | ExternalRecord
RecordEvent = IncidentEvent | ProblemEvent | ChangeEvent | ExternalRecordEvent
RecordKind = Literal["incident", "problem", "change", "record"]
"""`record` is one that another system keeps, see `shared.domain.external_record`."""

KINDS: Mapping[str, RecordKind] = {
    "INC": "incident",
    "PRB": "problem",
    "CHG": "change",
}
"""The kind of record by the prefix of its reference."""
REF_OF_NUMBER: Mapping[RecordKind, Callable[[int], str]] = {
    "incident": incident_ref,
    "problem": problem_ref,
    "change": change_ref,
}
"""How the references of each kind are formed."""


def kind_of(ref: str) -> RecordKind:
    """Return the kind of the record with this reference: `PRB-000001` → `problem`."""
    if is_external_ref(ref):
        return "record"
    return KINDS.get(ref[:3], "incident")


def stream_of(ref: str) -> str:
    """Return the stream of a record: `PRB-000001` → `problem-PRB-000001`."""
    kind = kind_of(ref)
    return external_stream(ref) if kind == "record" else f"{kind}-{ref}"


def record_of(stream: str) -> str:
    """Return the reference of the record with this stream."""
    kind, _, ref = stream.partition("-")
    return external_record_of(stream) if kind == "record" else ref


def ref_of(event: RecordEvent) -> str:
    """Return the reference of the record that an event belongs to."""
    if is_problem_event(event):
        return event.problem
    if is_change_event(event):
        return event.change
    if is_external_record_event(event):
        return event.record
    return event.incident


def evolved(record: Record | None, event: RecordEvent) -> Record:
    """Return the record after one of its events."""
    if is_problem_event(event):
        assert not isinstance(record, Incident | Change | ExternalRecord)  # noqa: S101 # the stream has only problem events
        return problem.evolve(record, event)
    if is_change_event(event):
        assert not isinstance(record, Incident | Problem | ExternalRecord)  # noqa: S101 # as above
        return change.evolve(record, event)
    if is_external_record_event(event):
        assert not isinstance(record, Incident | Problem | Change)  # noqa: S101 # as above
        return external_record.evolve(record, event)
    assert not isinstance(record, Problem | Change | ExternalRecord)  # noqa: S101 # as above
    return domain_incident.evolve(record, event)


def replayed(history: Iterable[RecordEvent]) -> Record | None:
    """Return the record after its events, or None without events."""
    record: Record | None = None
    for event in history:
        record = evolved(record, event)
    return record


def is_problem_event(event: AnyEvent) -> TypeIs[ProblemEvent]:
    """Return whether an event belongs to a problem's own stream."""
    return event.type.startswith("problem.")


def is_change_event(event: AnyEvent) -> TypeIs[ChangeEvent]:
    """Return whether an event belongs to a change's own stream."""
    return event.type.startswith("change.")


def is_external_record_event(event: AnyEvent) -> TypeIs[ExternalRecordEvent]:
    """Return whether an event belongs to the stream of an external record."""
    return event.type.startswith("record.")
