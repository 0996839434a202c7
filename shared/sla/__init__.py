"""What was promised about an incident, and how each promise stands.

Meaning only: whoever reads the log may use it. When a clock starts, warns or ends is
the business of the SLA watcher alone.
"""

from shared.sla.agreement import Attribution, Extension
from shared.sla.clock import Clock, ClockName, State, named
from shared.sla.evolve import evolve, replay
from shared.sla.explaining import Explanation, explained
from shared.sla.promise import Pledge, promised
from shared.sla.spending import left, original_due, spent, stood, whole

__all__ = [
    "Attribution",
    "Clock",
    "ClockName",
    "Explanation",
    "Extension",
    "Pledge",
    "State",
    "evolve",
    "explained",
    "left",
    "named",
    "original_due",
    "promised",
    "replay",
    "spent",
    "stood",
    "whole",
]
