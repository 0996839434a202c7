"""What every door of intake needs: who may come in, where signals go, where to look."""

from concurrent.futures import Executor
from dataclasses import dataclass

from services.intake.gate.gate import Gate
from services.intake.reception import Reception
from shared.event_log import EventLog


@dataclass(frozen=True)
class Doors:
    """Handed to the routes."""

    gate: Gate
    reception: Reception
    log: EventLog
    executor: Executor
