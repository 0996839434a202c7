"""What every door of intake needs: who calls, where signals go, where to look."""

from concurrent.futures import Executor
from dataclasses import dataclass

from services.intake.reception import Reception
from shared.access import Access
from shared.event_log import EventLog


@dataclass(frozen=True)
class Doors:
    """Handed to the routes."""

    access: Access
    reception: Reception
    log: EventLog
    executor: Executor
