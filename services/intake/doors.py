"""What every door of intake needs: who may come in, where signals go, where to look."""

from concurrent.futures import Executor
from dataclasses import dataclass

from services.intake.gate.gate import Gate
from services.intake.in_force import InForce
from services.intake.letters.taking import LetterDesk
from services.intake.reception import Reception
from shared.eventlog.log import EventLog


@dataclass(frozen=True)
class Doors:
    """Handed to the routes."""

    gate: Gate
    reception: Reception
    log: EventLog
    executor: Executor
    letters: LetterDesk
    in_force: InForce
    our_address: str | None = None
    """The one the desk writes from: what comes from there is not answered."""
