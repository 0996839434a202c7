"""Heartbeats: what has to report regularly, and whose silence is the trouble."""

from datetime import timedelta
from typing import Literal

from shared.policy.clause import Clause
from shared.policy.durations import Delay, Duration
from shared.policy.names import Name
from shared.policy.scales import Severity

HEARTBEATS_MAX = 1_000


class Heartbeat(Clause):
    """Something that beats; no beat for `every` and `grace` opens an incident."""

    every: Duration
    """How long after a beat the next one is expected."""
    grace: Delay = timedelta(0)
    """How much later it may be."""
    service: Name
    """What is in trouble when it is silent."""
    severity: Severity = "error"
    calendar: Name | None = None
    """Both are counted in its open hours; left out: around the clock."""
    armed: Literal["first_beat", "at_once"] = "first_beat"
    """From when silence counts: a first beat, or when the policy is applied."""
    source: Name | None = None
    """Whose key may beat it; left out: that of the source that beats it first."""
