"""Takes out of an answer what its reader may not see of other records.

An incident, a problem or a change names others: those it was merged into, those it is
linked to. Outside of the reader's limits they do not exist, so their references go,
with whatever is about them.
"""

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from services.projections.generations import live
from services.projections.queue.row import Changes, QueueRow, changed
from services.projections.read_models import QUEUE
from services.projections.sight import Sight, masked, references, visible
from shared.database.cursors import Cursors
from shared.domain.identifiers import is_incident_ref
from shared.eventlog.log import EventLog
from shared.security.places import places

Model = TypeVar("Model", bound=BaseModel)


class _Gone:
    """What is not shown."""


_GONE = _Gone()


def redacted(
    log: EventLog, cursor: Cursors, sight: Sight, answer: Model, *own: str
) -> Model:
    """Return an answer without references of records out of sight.

    The answer is about the records `own`, which were looked at before.
    """
    if sight.within is None:
        return answer
    named = references(answer.model_dump_json()) - set(own)
    seen = seen_of(log, cursor, sight, named) | set(own)
    found = _in_model(answer, seen)
    return answer if isinstance(found, _Gone) else found


_OF_THE_DESK: Changes = {
    "assignee": None,
    "accepted_by": None,
    "presumed_problem": None,
    "root_cause": None,
    "flapping": False,
    "snoozed_until": None,
}
"""What rows of a queue do not show to people of a client."""


def redacted_rows(
    log: EventLog, cursor: Cursors, sight: Sight, rows: Sequence[QueueRow]
) -> list[QueueRow]:
    """Return rows of the queue without references of records out of sight."""
    if sight.within is None:
        return list(rows)
    named = {ref for row in rows for ref in (row.merged_into, row.presumed_problem)}
    seen = seen_of(log, cursor, sight, {ref for ref in named if ref})
    hidden = {} if sight.internal else _OF_THE_DESK
    return [
        changed(
            row,
            {
                "merged_into": row.merged_into if row.merged_into in seen else None,
                "presumed_problem": (
                    row.presumed_problem if row.presumed_problem in seen else None
                ),
                **hidden,
            },
        )
        for row in rows
    ]


def seen_of(
    log: EventLog, cursor: Cursors, sight: Sight, named: Collection[str]
) -> frozenset[str]:
    """Return those of these records that are within the limits."""
    if sight.within is None:
        return frozenset(named)
    incidents = [ref for ref in named if is_incident_ref(ref)]
    found = visible(cursor, live(cursor, QUEUE).schema, sight, incidents)
    others = places(log, cursor, sorted(set(named).difference(incidents)))
    return found | {ref for ref, place in others.items() if sight.sees(place)}


def _in_model(model: Model, seen: frozenset[str]) -> Model | _Gone:
    update: dict[str, object] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        kept = _in_value(value, seen)
        if isinstance(kept, _Gone):
            if not _may_be_none(field.annotation):
                return _GONE
            kept = None
        if kept is not value:
            update[name] = kept
    return model.model_copy(update=update) if update else model


def _in_value(value: Any, seen: frozenset[str]) -> Any:  # noqa: ANN401 # any JSON
    match value:
        case str():
            return _in_text(value, seen)
        case BaseModel():
            return _in_model(value, seen)
        case dict():
            kept = {key: _in_value(each, seen) for key, each in value.items()}
            return {k: v for k, v in kept.items() if not isinstance(v, _Gone)}
        case list() | tuple():
            items = [_in_value(each, seen) for each in value]
            return type(value)(v for v in items if not isinstance(v, _Gone))
        case _:
            return value


def _in_text(text: str, seen: frozenset[str]) -> str | _Gone:
    hidden = references(text) - seen
    if not hidden:
        return text
    return _GONE if text in hidden else masked(text, seen)


def _may_be_none(annotation: Any) -> bool:  # noqa: ANN401 # a type as pydantic keeps it
    return type(None) in getattr(annotation, "__args__", ())
