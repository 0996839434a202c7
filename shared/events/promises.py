"""The promises about an incident are those of another version of the policy.

In the streams `sla-<incident>`, written by the SLA watcher alone. What becomes of each
clock follows as events of its own.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.events.event import Event, Text
from shared.references import IncidentRef


class PromisesMoved(Event):
    """From here on the incident is promised what version `policy` promises.

    An incident keeps the version it was opened under until somebody says this. Its
    clocks go on from their original start, with the times they stood and what users
    agreed to; a breach stays. `operation` names the move that many incidents are part
    of: each is moved once by it.
    """

    type: Literal["promises.moved"] = "promises.moved"
    incident: IncidentRef
    policy: int
    was_policy: int
    operation: str
    moved_at: AwareDatetime
    reason: Text
    contract: str | None = None
    service: str | None = None
    """Which incidents the move is for; all where neither is given."""
    alone: bool = False
    """It is for this incident alone."""
