"""A command as received, with what is needed to decide it, and the answers to it."""

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
"""The kinds of record that commands may be about."""


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command as received: the caller is in `request`, the body in `wish`."""

    request: CommandRequest[Any]
    wish: AnyWish
    digest: bytes

    @property
    def verb(self) -> str:
        """Its name in logs and metrics: `acknowledge`, `problem.link`."""
        return verb_of(self.wish)


def verb_of(wish: AnyWish) -> str:
    """Return the verb, prefixed with the kind of record unless it is an incident."""
    if isinstance(wish, ProblemWish):
        return f"{PROBLEM}.{wish.verb}"
    if isinstance(wish, ChangeWish):
        return f"{CHANGE}.{wish.verb}"
    return wish.verb


def moves_keys(wish: AnyWish) -> bool:
    """Return whether a command may move signal keys to another incident."""
    return isinstance(wish, Merge | Unmerge | Split)


def begins(wish: AnyWish) -> str | None:
    """Return the kind of record that a command may create a reference for."""
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
    """Return whether a command creates the record that it is about."""
    return isinstance(wish, Open | IdentifyProblem | RequestChange)


def refs_read(wanted: Iterable[PendingCommand]) -> set[str]:
    """Return the records that these commands name: their own and others."""
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
    """Return the people these commands report for without naming a client."""
    found = (without_client(each.wish) for each in wanted.values())
    return sorted({reporter for reporter in found if reporter})


def without_client(wish: AnyWish) -> str | None:
    """Return the reporter if the command names no client, else None."""
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
"""The status of refusals that are not conflicts with the record's state (409)."""


def refused(no: Refused) -> HttpError:
    """Return the answer to a command that is valid but not allowed."""
    status = _STATUS.get(no.code, HTTPStatus.CONFLICT)
    return HttpError(status, no.reason, code=no.code)


MISUSED = "idempotency_key"
"""The code of a refusal because a command id was used before."""


def misused() -> HttpError:
    """Return the answer to a command id that was used before for something else."""
    return HttpError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "this Idempotency-Key was used for another request: choose a new one",
        code=MISUSED,
    )


def too_busy() -> HttpError:
    """Return the answer to a command that lost too many races with others."""
    return HttpError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the record is very busy; nothing was done: send it again",
        code="busy",
        retry_after=1,
    )


def moved(expected: int, version: int) -> HttpError:
    """Return the answer to an `If-Match` that does not match."""
    return HttpError(
        HTTPStatus.PRECONDITION_FAILED,
        f"it is at version {version} now, not {expected}: read it again",
        code="version",
    )


def asked_for(events: Iterable[RecordEvent]) -> str | None:
    """Return the follow-up that the events of a command ask for, or None."""
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
    """Return the original answer to a repeated command, including positions."""
    rows = log.rows_since(first - 1, last - first + 1)
    stream = stream_of(ref) if ref else rows[0].stream
    version = max(row.version for row in rows if row.stream == stream)
    positions = list(range(first, last + 1))
    return answer_about(record_of(stream), "repeated", version, positions)
