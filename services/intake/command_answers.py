"""The answers to commands: what was recorded, what was recorded before, and no."""

from collections.abc import Mapping
from http import HTTPStatus

from services.intake.decider import Refused
from shared.command import CommandAnswer
from shared.event_log import EventLog
from shared.problem import Problem
from shared.references import incident_stream

_STATUS: Mapping[str, HTTPStatus] = {
    "unknown_incident": HTTPStatus.NOT_FOUND,
    "unknown_target": HTTPStatus.UNPROCESSABLE_ENTITY,
    "role": HTTPStatus.FORBIDDEN,
    "invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Refusals that are no mere conflict with the incident's state (409)."""


def refused(no: Refused) -> Problem:
    """Return the answer to a command that was understood and may not be done."""
    status = _STATUS.get(no.code, HTTPStatus.CONFLICT)
    return Problem(status, no.reason, code=no.code)


def misused() -> Problem:
    """Return the answer to a command id that was used before, for something else."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "this Idempotency-Key was used for another request: choose a new one",
        code="idempotency_key",
    )


def too_busy() -> Problem:
    """Return the answer where others were first too often."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the incident is very busy; nothing was done: send it again",
        code="busy",
        retry_after=1,
    )


def moved(expected: int, version: int) -> Problem:
    """Return the answer to an `If-Match` that does not."""
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        f"the incident is at version {version}, not {expected}: read it again",
        code="version",
    )


def repeated_answer(
    log: EventLog, incident: str | None, first: int, last: int
) -> CommandAnswer:
    """Return the answer a command got when it was recorded, positions and all."""
    rows = log.rows_since(first - 1, last - first + 1)
    stream = incident_stream(incident) if incident else rows[0].stream
    return CommandAnswer(
        outcome="repeated",
        incident=stream.removeprefix("incident-"),
        version=max(row.version for row in rows if row.stream == stream),
        positions=list(range(first, last + 1)),
    )
