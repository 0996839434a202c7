"""Refused and repeated commands: the answers to them, and the journal of refusals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus

import orjson
from pydantic import BaseModel

from shared.database.cursors import Cursors
from shared.domain.events.event import Actor
from shared.domain.refusal import Code, Refused
from shared.http.problem_details import HttpError

_STATUS: Mapping[Code, HTTPStatus] = {
    "unknown_incident": HTTPStatus.NOT_FOUND,
    "unknown_problem": HTTPStatus.NOT_FOUND,
    "unknown_change": HTTPStatus.NOT_FOUND,
    "unknown_record": HTTPStatus.NOT_FOUND,
    "unknown_handover": HTTPStatus.NOT_FOUND,
    "unknown_extension": HTTPStatus.NOT_FOUND,
    "unknown_promise": HTTPStatus.NOT_FOUND,
    "unknown_move": HTTPStatus.NOT_FOUND,
    "unknown_attachment": HTTPStatus.NOT_FOUND,
    "unknown_person": HTTPStatus.NOT_FOUND,
    "unknown_grant": HTTPStatus.NOT_FOUND,
    "unknown_intervention": HTTPStatus.NOT_FOUND,
    "unknown_schedule": HTTPStatus.NOT_FOUND,
    "unknown_on_call_change": HTTPStatus.NOT_FOUND,
    "unknown_method": HTTPStatus.NOT_FOUND,
    "unknown_survey": HTTPStatus.NOT_FOUND,
    "unknown_client": HTTPStatus.NOT_FOUND,
    "unknown_action": HTTPStatus.NOT_FOUND,
    "unknown_review": HTTPStatus.NOT_FOUND,
    "unknown_section": HTTPStatus.NOT_FOUND,
    "unknown_target": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_assignee": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_codes": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_tests": HTTPStatus.TOO_MANY_REQUESTS,
    "wrong_code": HTTPStatus.UNPROCESSABLE_ENTITY,
    "role": HTTPStatus.FORBIDDEN,
    "invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""The status of refusals that are not conflicts with the record's state (409)."""
_INSERT = """
INSERT INTO {schema}.refusals (at, actor, verb, incident, code, reason)
VALUES (%s, %s, %s, %s, %s, %s)
"""


def answer_to(no: Refused) -> HttpError:
    """Return the answer to a command that is valid but not allowed."""
    status = _STATUS.get(no.code, HTTPStatus.CONFLICT)
    errors = [{"loc": [no.field], "msg": no.reason, "type": no.code}]
    return HttpError(status, no.reason, code=no.code, errors=errors if no.field else ())


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused command: its caller, its record, and the reason."""

    at: datetime
    by: Actor
    verb: str
    record: str
    no: Refused


def journal(cursor: Cursors, schema: str, refusal: Refusal) -> None:
    """Record a refusal; the column `incident` holds a reference of any record."""
    no = refusal.no
    cursor.execute(
        _INSERT.format(schema=schema),
        (refusal.at, refusal.by, refusal.verb, refusal.record, no.code, no.reason),
    )


MISUSED = "idempotency_key"
"""The code of a refusal because a command id was used before."""


def misused() -> HttpError:
    """Return the answer to a command id that was used before for something else."""
    return HttpError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "this Idempotency-Key was used for another request: choose a new one",
        code=MISUSED,
    )


def moved(expected: int, version: int) -> HttpError:
    """Return the answer to an `If-Match` that does not match."""
    return HttpError(
        HTTPStatus.PRECONDITION_FAILED,
        f"it is at version {version} now, not {expected}: read it again",
        code="version",
    )


def digest_of(*parts: BaseModel | str | int | None) -> bytes:
    """Return a digest of what a command says, to detect a reused command id.

    It is stored: the parts of a command, and their order, must not change.
    """
    plain = [
        part.model_dump(mode="json", exclude_unset=True)
        if isinstance(part, BaseModel)
        else part
        for part in parts
    ]
    return sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).digest()
