"""Work announced by a command, once: signals inside are recorded and open nothing.

All of it is one stream; the recurring windows are the policy's.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from shared.events.event import Event, Text

STREAM = "maintenance-desk"
WindowRef = Annotated[str, StringConstraints(pattern=r"^MNT-[0-9]{6,12}$")]


class MaintenanceAnnounced(Event):
    """Work on a service was announced, from `start` until `until`."""

    type: Literal["maintenance.announced"] = "maintenance.announced"
    window: WindowRef
    service: str
    start: AwareDatetime
    until: AwareDatetime
    reason: Text


class MaintenanceCancelled(Event):
    """It does not take place, or ends now: what fires since then opens."""

    type: Literal["maintenance.cancelled"] = "maintenance.cancelled"
    window: WindowRef
    reason: Text | None = None
