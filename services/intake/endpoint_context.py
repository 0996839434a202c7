"""What every door of intake needs: who may come in, where signals go, where to look.

The journal of refusals: commands that were understood and answered no.
"""

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
    """Handed to the routes."""

    gate: Gate
    reception: Reception
    log: EventLog
    executor: Executor
    letters: MailIntake
    in_force: InForce
    our_address: str | None = None
    """The one the desk writes from: what comes from there is not answered."""


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
