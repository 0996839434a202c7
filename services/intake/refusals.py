"""The journal of refusals: commands that were understood and answered no."""

from typing import Any

from psycopg import Cursor

from services.intake.commands import Command
from services.intake.decider import Refused

_INSERT = """
INSERT INTO intake.refusals (at, actor, verb, incident, code, reason)
VALUES (%s, %s, %s, %s, %s, %s)
"""


def journal(cursor: Cursor[tuple[Any, ...]], command: Command, no: Refused) -> None:
    """Note that `command` was refused, by whom it was wished and why not."""
    cursor.execute(
        _INSERT,
        (
            command.at,
            command.by,
            command.wish.verb,
            command.incident,
            no.code,
            no.reason,
        ),
    )
