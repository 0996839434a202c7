"""What was promised about an incident, and how each promise stands.

Meaning only: whoever reads the log may use it. When a clock starts, warns or ends is
the business of the SLA watcher alone.
"""

from shared.sla.agreement import Attribution, Extension
from shared.sla.clock import Clock, ClockName, State, named
from shared.sla.consuming import Consumption, Share, Turn, Wait, consumed
from shared.sla.evolve import evolve, replay
from shared.sla.explaining import Explanation, explained
from shared.sla.marks import Mark, unsaid
from shared.sla.operational import OLAS, is_operational, owed, owed_seconds
from shared.sla.promise import Covered, Pledge, covering, promised
from shared.sla.spending import left, original_due, spent, stood, whole

__all__ = [
    "OLAS",
    "Attribution",
    "Clock",
    "ClockName",
    "Consumption",
    "Covered",
    "Explanation",
    "Extension",
    "Mark",
    "Pledge",
    "Share",
    "State",
    "Turn",
    "Wait",
    "consumed",
    "covering",
    "evolve",
    "explained",
    "is_operational",
    "left",
    "named",
    "original_due",
    "owed",
    "owed_seconds",
    "promised",
    "replay",
    "spent",
    "stood",
    "unsaid",
    "whole",
]
