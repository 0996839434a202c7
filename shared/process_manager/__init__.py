"""How a service decides about incidents: by what it reads, and by the clock.

A service says in pure functions what it remembers of an incident and what follows; this
keeps the memory, appends what follows, and wakes when something is due.
"""

from shared.process_manager.alarm import Alarm, timers_probe
from shared.process_manager.process import Desk, NeverEnding, ProcessManager
from shared.process_manager.worker import Worker

__all__ = ["Alarm", "Desk", "NeverEnding", "ProcessManager", "Worker", "timers_probe"]
