"""The scales a policy ranks with: impact, urgency, priority, a monitor's severity."""

from typing import Literal

Impact = Literal["high", "medium", "low"]
Urgency = Literal["high", "medium", "low"]
Priority = Literal["p1", "p2", "p3", "p4"]
Severity = Literal["critical", "error", "warning", "info"]
