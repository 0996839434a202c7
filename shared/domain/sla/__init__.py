"""The SLA targets of an incident, and the state of their clocks.

Any reader of the log may use this; when a clock starts, warns or ends is decided only
by the SLA watcher.
"""

from shared.domain.sla.clock import (
    Attribution,
    Clock,
    ClockName,
    Extension,
    Mark,
    State,
    left,
    named,
    original_due,
    spent,
    stood,
    unsaid,
    whole,
)
from shared.domain.sla.consumption import Consumption, LevelEntry, Share, Wait, consumed
from shared.domain.sla.evolve import evolve, replay, replay_in_reach
from shared.domain.sla.explanation import Explanation, explained
from shared.domain.sla.extendable import extendable
from shared.domain.sla.ola import OLAS, is_operational, owed, owed_seconds
from shared.domain.sla.promise import PromiseFacts, TargetPromise, covering, promised
from shared.domain.sla.reach import require_in_reach

__all__ = [
    "OLAS",
    "Attribution",
    "Clock",
    "ClockName",
    "Consumption",
    "Explanation",
    "Extension",
    "LevelEntry",
    "Mark",
    "PromiseFacts",
    "Share",
    "State",
    "TargetPromise",
    "Wait",
    "consumed",
    "covering",
    "evolve",
    "explained",
    "extendable",
    "is_operational",
    "left",
    "named",
    "original_due",
    "owed",
    "owed_seconds",
    "promised",
    "replay",
    "replay_in_reach",
    "require_in_reach",
    "spent",
    "stood",
    "unsaid",
    "whole",
]
