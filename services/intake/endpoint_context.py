"""The dependencies of intake's endpoints, and the journal of refused commands."""

from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.intake.commands.rules import Refused
from services.intake.gate.gate import Gate
from services.intake.inbound_mail.worker import MailIntake
from services.intake.policy.in_force import InForce
from services.intake.signals.reception import Reception
from shared.domain.events.event import Actor
from shared.eventlog.log import EventLog


@dataclass(frozen=True)
class EndpointContext:
    """The dependencies passed to the routes."""

    gate: Gate
    reception: Reception
    log: EventLog
    executor: Executor
    letters: MailIntake
    in_force: InForce
    our_address: str | None = None
    """The desk's own sender address: mail from it is not answered."""


_INSERT = """
INSERT INTO intake.refusals (at, actor, verb, incident, code, reason)
VALUES (%s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused command: its caller, its record, and the reason."""

    at: datetime
    by: Actor
    verb: str
    record: str
    no: Refused


def journal(cursor: Cursor[tuple[Any, ...]], refusal: Refusal) -> None:
    """Record a refusal; the column `incident` holds a reference of any record."""
    no = refusal.no
    cursor.execute(
        _INSERT,
        (refusal.at, refusal.by, refusal.verb, refusal.record, no.code, no.reason),
    )
