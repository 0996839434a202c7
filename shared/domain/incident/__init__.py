"""What an incident is, and what each event makes of it.

Whoever reads the log may use this; who may do what is the business of intake alone.
"""

from shared.domain.incident.evolve import evolve, replay
from shared.domain.incident.state import (
    AT_WORK,
    IN_STOCK,
    BrokenHistory,
    Incident,
    Pause,
    Status,
)

__all__ = [
    "AT_WORK",
    "IN_STOCK",
    "BrokenHistory",
    "Incident",
    "Pause",
    "Status",
    "evolve",
    "replay",
]
