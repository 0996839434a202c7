"""The dependencies of intake's endpoints."""

from concurrent.futures import Executor
from dataclasses import dataclass

from services.intake.gate.gate import Gate
from services.intake.policy.store import InForce
from services.intake.signals.reception import Reception
from shared.eventlog.log import EventLog


@dataclass(frozen=True)
class EndpointContext:
    """The dependencies passed to the routes."""

    gate: Gate
    reception: Reception
    log: EventLog
    executor: Executor
    in_force: InForce
    our_address: str | None = None
    """The desk's own sender address: mail from it is not answered."""
