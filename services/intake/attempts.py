"""Decides one command in a transaction of its own, again if another was faster.

For commands that are rare; those about incidents and problems are decided in batches.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar, assert_never
from uuid import UUID

from shared.clock import Clock
from shared.commands.refusals import Refusal, answer_to, journal, misused, moved
from shared.database.cursors import Cursors
from shared.domain.events.event import Actor
from shared.domain.refusal import Refused
from shared.eventlog.append import (
    AppendUnit,
    CommandIdReused,
    Recorded,
    Repeated,
    Stale,
    recorded_commands,
    repeated,
)
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest

ATTEMPTS_MAX = 20
"""How often a command is decided again before its sender is asked to retry."""

_Answer = TypeVar("_Answer")


class Again(Exception):
    """Roll back the transaction and decide again."""


def decided(
    log: EventLog,
    attempt: Callable[[Cursors], _Answer],
    note: Callable[[Cursors, Refused], None] | None = None,
) -> _Answer:
    """Return what `attempt` answers, in a transaction that is committed.

    If it raises `Refused`, what `note` writes of it and what `attempt` wrote before
    are committed, and the refusal is raised as `HttpError`; without `note` it is raised
    as it is, and nothing is committed. Raises `HttpError` 503 if others are faster
    again and again, and `Unavailable`.
    """
    for _ in range(ATTEMPTS_MAX):
        try:
            with log.transaction() as cursor:
                try:
                    return attempt(cursor)
                except Refused as no:
                    if note is None:
                        raise
                    note(cursor, no)
                    refused = no
        except Again:
            continue
        raise answer_to(refused)
    raise too_busy()


def journalled(
    request: CommandRequest[Any], record: str, clock: Clock
) -> Callable[[Cursors, Refused], None]:
    """Return the `note` that journals a refusal of a command about a record."""
    verb = f"{request.body.aggregate}.{request.body.verb}"
    note = journalled_of(request.actor, verb, record, clock)
    return (lambda _cursor, _no: None) if request.preview else note


def journalled_of(
    by: Actor, verb: str, record: str, clock: Clock
) -> Callable[[Cursors, Refused], None]:
    """Return the `note` that journals a refusal of what somebody asked for."""

    def note(cursor: Cursors, no: Refused) -> None:
        journal(cursor, "intake", Refusal(clock(), by, verb, record, no))

    return note


def require_version(if_match: int | None, version: int) -> None:
    """Raise `HttpError` 412 if the sender has decided on another version."""
    if if_match is not None and if_match != version:
        raise moved(if_match, version)


def recorded_before(
    cursor: Cursors, command_id: UUID | None, digest: bytes
) -> range | None:
    """Return the positions of a command that was recorded before, None for a new one.

    Raises `HttpError` 422 if its id was used for another command.
    """
    if command_id is None:
        return None
    match repeated(recorded_commands(cursor, [command_id]), command_id, digest):
        case Repeated(first, last):
            return range(first, last + 1)
        case CommandIdReused():
            raise misused()
        case None:
            return None


def append(log: EventLog, cursor: Cursors, unit: AppendUnit) -> range:
    """Append the events of a command last, and return their positions.

    Raises `Again` if another command about the same streams was faster.
    """
    (outcome,) = log.append(cursor, [unit])
    match outcome:
        case Recorded(first, last):
            return range(first, last + 1)
        case Repeated() | Stale():
            raise Again
        case CommandIdReused():
            raise misused()
        case _:
            assert_never(outcome)


def too_busy() -> HttpError:
    """Return the answer to a command that lost too many races with others."""
    return HttpError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the record is very busy; nothing was done: send it again",
        code="busy",
        retry_after=1,
    )
