"""Refusals of commands, as sentences that say what to do instead, and their journal."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from psycopg import Cursor

from shared.http.problem_details import HttpError

Code = Literal[
    "unknown_incident",
    "unknown_handover",
    "unknown_extension",
    "unknown_promise",
    "unknown_move",
    "state",
    "role",
    "invalid",
]
_STATUS: Mapping[Code, HTTPStatus] = {
    "unknown_incident": HTTPStatus.NOT_FOUND,
    "unknown_handover": HTTPStatus.NOT_FOUND,
    "unknown_extension": HTTPStatus.NOT_FOUND,
    "unknown_promise": HTTPStatus.NOT_FOUND,
    "unknown_move": HTTPStatus.NOT_FOUND,
    "role": HTTPStatus.FORBIDDEN,
    "invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
}
_INSERT = """
INSERT INTO {schema}.refusals (at, actor, verb, incident, code, reason)
VALUES (%s, %s, %s, %s, %s, %s)
"""


class Refused(Exception):
    """The command is valid but refused."""

    def __init__(self, reason: str, code: Code) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code: Code = code

    @property
    def problem(self) -> HttpError:
        """Return the error for the caller."""
        status = _STATUS.get(self.code, HTTPStatus.CONFLICT)
        return HttpError(status, self.reason, code=self.code)


def journal(  # noqa: PLR0913, PLR0917 # one for each column
    cursor: Cursor[tuple[Any, ...]],
    schema: str,
    at: datetime,
    actor: str,
    verb: str,
    incident: str,
    no: Refused,
) -> None:
    """Record a refused command, with its sender and the reason."""
    insert = _INSERT.format(schema=schema)
    cursor.execute(insert, (at, actor, verb, incident, no.code, no.reason))
