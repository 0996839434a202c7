"""A command as it came: who asks, what for, and what it needs to be decided.

The answers to commands: what was recorded, what was recorded before, and no.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any

from services.intake.commands.command import CloseSilent, RecordWish
from services.intake.commands.record_store import RecordEvent, record_of, stream_of
from services.intake.commands.rules import Refused
from shared.domain.commands.change import (
    ChangeWish,
    LinkChange,
    RequestChange,
    UnlinkChange,
)
from shared.domain.commands.incident import (
    Link,
    Merge,
    Open,
    PersonsWish,
    Resolve,
    Split,
    Unlink,
    Unmerge,
)
from shared.domain.commands.problem import (
    IdentifyProblem,
    LinkProblem,
    ProblemWish,
    UnlinkProblem,
)
from shared.domain.events.incident import IncidentClosed, IncidentResolved
from shared.domain.identifiers import is_incident_ref
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import (
    Answered,
    CommandAnswer,
    CommandRequest,
    Done,
    RecordAnswer,
)

AnyWish = PersonsWish | RecordWish | CloseSilent

INCIDENT, PROBLEM, CHANGE = "incident", "problem", "change"
"""What commands may be about."""


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command as it came: who asks is in `request`, what for in `wish`."""

    request: CommandRequest[Any]
    wish: AnyWish
    digest: bytes

    @property
    def verb(self) -> str:
        """What it is called in logs and metrics: `acknowledge`, `problem.link`."""
        return verb_of(self.wish)


def verb_of(wish: AnyWish) -> str:
    """Return the verb, with its aggregate where that is no incident."""
    if isinstance(wish, ProblemWish):
        return f"{PROBLEM}.{wish.verb}"
    if isinstance(wish, ChangeWish):
        return f"{CHANGE}.{wish.verb}"
    return wish.verb


def moves_keys(wish: AnyWish) -> bool:
    """Tell whether a wish may move signal keys from one incident to another."""
    return isinstance(wish, Merge | Unmerge | Split)


def begins(wish: AnyWish) -> str | None:
    """Return the kind of record that a wish may begin, and needs a reference for."""
    match wish:
        case Open() | Split():
            return INCIDENT
        case IdentifyProblem():
            return PROBLEM
        case RequestChange():
            return CHANGE
        case _:
            return None


def is_beginning(wish: AnyWish) -> bool:
    """Tell whether a wish is about a record that is not there yet."""
    return isinstance(wish, Open | IdentifyProblem | RequestChange)


def refs_read(wanted: Iterable[PendingCommand]) -> set[str]:
    """Return the records these commands name: their own and the others."""
    return set(chain.from_iterable(map(_named, wanted)))


def _named(wanted: PendingCommand) -> list[str]:
    named: list[str | None] = [wanted.request.about]
    match wanted.wish:
        case Merge(into=other) | Link(target=other) | Unlink(target=other):
            named.append(other)
        case (
            Open(follows=other)
            | IdentifyProblem(incident=other)
            | Resolve(solution=other)
        ):
            named.append(other)
        case (
            LinkProblem(incident=incident, change=record)
            | UnlinkProblem(incident=incident, change=record)
            | LinkChange(incident=incident, problem=record)
            | UnlinkChange(incident=incident, problem=record)
            | RequestChange(incident=incident, problem=record)
        ):
            named += [incident, record]
        case _:
            pass
    return [ref for ref in named if ref]


def reporters(wanted: Mapping[int, PendingCommand]) -> list[str]:
    """Return the people these commands report for without naming their client."""
    found = (without_client(each.wish) for each in wanted.values())
    return sorted({reporter for reporter in found if reporter})


def without_client(wish: AnyWish) -> str | None:
    """Return the reporter whose client is not named, None where there is none."""
    match wish:
        case Open(client=None, reporter=reporter):
            return reporter
        case _:
            return None


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
