"""The answers to commands: what was recorded, what was recorded before, and no."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from services.intake.decider import Refused
from services.intake.records import RecordEvent, record_of, stream_of
from shared.domain.events.incident import IncidentClosed, IncidentResolved
from shared.domain.identifiers import is_incident_ref
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, Done, RecordAnswer

_STATUS: Mapping[str, HTTPStatus] = {
    "unknown_incident": HTTPStatus.NOT_FOUND,
    "unknown_problem": HTTPStatus.NOT_FOUND,
    "unknown_change": HTTPStatus.NOT_FOUND,
    "unknown_target": HTTPStatus.UNPROCESSABLE_ENTITY,
    "role": HTTPStatus.FORBIDDEN,
    "invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Refusals that are no mere conflict with the incident's state (409)."""


def refused(no: Refused) -> HttpError:
    """Return the answer to a command that was understood and may not be done."""
    status = _STATUS.get(no.code, HTTPStatus.CONFLICT)
    return HttpError(status, no.reason, code=no.code)


def misused() -> HttpError:
    """Return the answer to a command id that was used before, for something else."""
    return HttpError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "this Idempotency-Key was used for another request: choose a new one",
        code="idempotency_key",
    )


def too_busy() -> HttpError:
    """Return the answer where others were first too often."""
    return HttpError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the record is very busy; nothing was done: send it again",
        code="busy",
        retry_after=1,
    )


def moved(expected: int, version: int) -> HttpError:
    """Return the answer to an `If-Match` that does not."""
    return HttpError(
        HTTPStatus.PRECONDITION_FAILED,
        f"it is at version {version} now, not {expected}: read it again",
        code="version",
    )


def asked_for(events: Iterable[RecordEvent]) -> str | None:
    """Return what should follow the events of a command, None if nothing."""
    for event in events:
        if isinstance(event, IncidentClosed) and event.asks_for_problem:
            return (
                f"{event.incident} was closed on a workaround, so its root cause is "
                "open: link it to a problem (PRB-…) that looks for the cause, or "
                "identify one"
            )
        if isinstance(event, IncidentResolved) and event.asks_for_solution:
            return (
                f"{event.incident} was resolved above N1: note what N1 can do by "
                f"itself next time (POST /v1/incidents/{event.incident}/solution)"
            )
    return None


def answer_about(
    ref: str,
    outcome: Done,
    version: int,
    positions: list[int],
    asks: str | None = None,
) -> Answered:
    """Return the answer to a command about an incident, a problem or a change."""
    if is_incident_ref(ref):
        return CommandAnswer(
            outcome=outcome,
            incident=ref,
            version=version,
            positions=positions,
            asks=asks,
        )
    return RecordAnswer(
        outcome=outcome, record=ref, version=version, positions=positions
    )


def repeated_answer(log: EventLog, ref: str | None, first: int, last: int) -> Answered:
    """Return the answer a command got when it was recorded, positions and all."""
    rows = log.rows_since(first - 1, last - first + 1)
    stream = stream_of(ref) if ref else rows[0].stream
    version = max(row.version for row in rows if row.stream == stream)
    positions = list(range(first, last + 1))
    return answer_about(record_of(stream), "repeated", version, positions)
