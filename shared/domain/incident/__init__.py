"""The state of an incident, and the effect of each event on it.

Any reader of the log may use this; the rules for who may do what are only in intake.
"""

from shared.domain.incident.evolve import evolve, replay
from shared.domain.incident.state import (
    AT_WORK,
    IN_STOCK,
    BrokenHistory,
    Incident,
    Pause,
    Reminder,
    Status,
)

__all__ = [
    "AT_WORK",
    "IN_STOCK",
    "BrokenHistory",
    "Incident",
    "Pause",
    "Reminder",
    "Status",
    "evolve",
    "replay",
]
