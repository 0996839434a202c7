"""The journal of refusals: commands that were understood and answered no."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.intake.decider import Refused
from shared.domain.events.event import Actor

_INSERT = """
INSERT INTO intake.refusals (at, actor, verb, incident, code, reason)
VALUES (%s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who wished what of which record, and why it was not done."""

    at: datetime
    by: Actor
    verb: str
    record: str
    no: Refused


def journal(cursor: Cursor[tuple[Any, ...]], refusal: Refusal) -> None:
    """Note a refusal; the column `incident` names any record."""
    no = refusal.no
    cursor.execute(
        _INSERT,
        (refusal.at, refusal.by, refusal.verb, refusal.record, no.code, no.reason),
    )
