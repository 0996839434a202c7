"""A process manager: a service's decisions about incidents, from events and timers.

A service defines in pure functions its state of an incident and its decisions; this
package stores the state, appends the decisions, and wakes when something is due.
"""

from shared.process_manager.alarm import Alarm, timers_probe
from shared.process_manager.process import Desk, NeverEnding, ProcessManager
from shared.process_manager.worker import Worker

__all__ = ["Alarm", "Desk", "NeverEnding", "ProcessManager", "Worker", "timers_probe"]
