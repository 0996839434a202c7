"""How a service decides about incidents: by what it reads, and by the clock.

A service says in pure functions what it remembers of an incident and what follows; this
keeps the memory, appends what follows, and wakes when something is due.
"""

from shared.casework.alarm import Alarm
from shared.casework.casework import Casework, Desk, NeverEnding
from shared.casework.probe import timers_probe
from shared.casework.worker import Worker

__all__ = ["Alarm", "Casework", "Desk", "NeverEnding", "Worker", "timers_probe"]
