"""What intake alone writes: incidents, problems and changes, a stream each."""

from collections.abc import Callable, Iterable, Mapping

from typing_extensions import TypeIs

from shared.domain import change, incident, problem
from shared.domain.change import Change
from shared.domain.events import AnyEvent, ChangeEvent, IncidentEvent, ProblemEvent
from shared.domain.identifiers import (
    change_ref,
    change_stream,
    incident_ref,
    incident_stream,
    problem_ref,
    problem_stream,
)
from shared.domain.incident import Incident
from shared.domain.problem import Problem

Record = Incident | Problem | Change
RecordEvent = IncidentEvent | ProblemEvent | ChangeEvent

REF_OF_NUMBER: Mapping[str, Callable[[int], str]] = {
    "incident": incident_ref,
    "problem": problem_ref,
    "change": change_ref,
}
"""How records of each kind are called."""
_STREAM_OF: Mapping[str, Callable[[str], str]] = {
    "PRB": problem_stream,
    "CHG": change_stream,
}


def ref_of(event: RecordEvent) -> str:
    """Return the record an event happened to."""
    if is_problem_event(event):
        return event.problem
    if is_change_event(event):
        return event.change
    return event.incident


def stream_of(ref: str) -> str:
    """Return the stream of a record: `PRB-000001` → `problem-PRB-000001`."""
    return _STREAM_OF.get(ref[:3], incident_stream)(ref)


def record_of(stream: str) -> str:
    """Return the record whose stream this is."""
    return stream.partition("-")[2]


def evolved(record: Record | None, event: RecordEvent) -> Record:
    """Return the record after one of its events."""
    if is_problem_event(event):
        assert not isinstance(record, Incident | Change)  # noqa: S101 # it is in its stream
        return problem.evolve(record, event)
    if is_change_event(event):
        assert not isinstance(record, Incident | Problem)  # noqa: S101 # as above
        return change.evolve(record, event)
    assert not isinstance(record, Problem | Change)  # noqa: S101 # as above
    return incident.evolve(record, event)


def replayed(history: Iterable[RecordEvent]) -> Record | None:
    """Return the record after its events, None if nothing happened yet."""
    record: Record | None = None
    for event in history:
        record = evolved(record, event)
    return record


def is_problem_event(event: AnyEvent) -> TypeIs[ProblemEvent]:
    """Tell whether an event is one of a problem's own stream."""
    return event.type.startswith("problem.")


def is_change_event(event: AnyEvent) -> TypeIs[ChangeEvent]:
    """Tell whether an event is one of a change's own stream."""
    return event.type.startswith("change.")
