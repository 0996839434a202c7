"""What people agreed on about a clock: longer delays, and whose its breach is.

No personal words are in it: they stay in the log, sealed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.events.sla_agreed import Party
from shared.policy.targets import Channel

ExtensionState = Literal["proposed", "accepted", "refused", "expired"]


@dataclass(frozen=True)
class Extension:
    """A longer delay that the users were asked for, after some of its events.

    `answered_by` is the person whose word it is, `recorded_by` who took it down.
    """

    ref: str
    state: ExtensionState
    proposed_by: str
    proposed_at: datetime
    proposed_due_at: datetime
    was_due_at: datetime | None
    expires_at: datetime
    answered_at: datetime | None = None
    answered_by: str | None = None
    recorded_by: str | None = None
    channel: Channel | None = None
    after_breach: bool = False
    """It was accepted when the promise was broken already."""

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.state == "proposed"


@dataclass(frozen=True)
class Attribution:
    """Whose a breach is, by the last word of a manager."""

    party: Party
    who: str | None
    by: str
    at: datetime
    evidence: tuple[int, ...]
