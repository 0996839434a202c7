"""One incident as the queues show it, and where it stands in their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.events.incident import Origin, PersonId
from shared.incident import IN_STOCK, Status
from shared.policy.scales import Impact, Priority, Urgency
from shared.policy.targets import PauseReason
from shared.references import IncidentRef


@dataclass(frozen=True)
class QueueRow:
    """An incident after its event at `position`; field order is column order.

    Instants are those of the decisions (`Event.at`); `updated_at` is when the newest
    event entered the log. `repeats` counts the signals that changed nothing.
    """

    ref: IncidentRef
    title: str
    status: Status
    priority: Priority
    impact: Impact
    urgency: Urgency
    service: str
    category: str | None
    client: str | None
    team: str
    assignee: PersonId | None
    reporter: PersonId | None
    origin: Origin
    opened_at: datetime
    reported_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    restored_at: datetime | None
    ended_at: datetime | None
    """When it left the stock: closed, cancelled or merged."""
    pause_reason: PauseReason | None
    cycle: int
    repeats: int
    merged_into: IncidentRef | None
    version: int
    position: int


def in_stock(row: QueueRow) -> bool:
    """Tell whether the incident counts as open; resolved ones await closure."""
    return row.status in IN_STOCK


RANK: Mapping[Status, int] = {
    status: 1 if status is Status.RESOLVED else 0 for status in IN_STOCK
}
"""What needs work stands before what only awaits its closure."""
