"""One incident as the queues show it, and where it stands in their order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from shared.domain.events.incident import Origin, PersonId
from shared.domain.identifiers import IncidentRef, ProblemRef
from shared.domain.incident import AT_WORK, IN_STOCK, Status
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import PauseReason, SupportLevel

Changes = dict[str, object]
LOWEST: SupportLevel = "n1"
"""Where looking for help begins."""

_OWN = Field(exclude=True)
"""What each stream said by itself, from which the fields that are shown are made."""


@dataclass(frozen=True)
class QueueRow:
    """An incident after its event at `position`; field order is column order.

    Instants are those of the decisions (`Event.at`); `updated_at` is when the newest
    event of its own stream entered the log, whose version and position are here too.
    `repeats` counts the signals that changed nothing.
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
    """Whose work it is: of an assignment and an escalation the later one."""
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
    user_reported: bool
    """Whether a person reported it, or only monitoring did."""
    level: SupportLevel
    accepted_by: PersonId | None
    """Who took it on at this level."""
    due_at: datetime | None
    """When the first promise that runs is due; none while it stands."""
    due_target: Literal["tto", "ttr"] | None
    breached: bool
    """Whether a promise to own or to resolve was broken in this cycle."""
    flapping: bool
    """A signal of it goes up and down; its recoveries are not believed yet."""
    snoozed_until: datetime | None
    """Until when no news is made of its repeats; it may be past."""
    root_cause: Literal["open", "problem"] | None
    """Resolved on a workaround, its cause is still there: an open problem looks for it,
    or nobody (`open`) and one should be linked."""
    quick_fix: bool
    """It came back a few days after it was resolved on a workaround."""
    own_team: Annotated[str, _OWN]
    own_team_position: Annotated[int, _OWN]
    presumed_problem: ProblemRef | None = None
    """The problem it joined by its service alone: to be confirmed by a person."""
    sla_position: Annotated[int, _OWN] = 0
    sla_cycle: Annotated[int, _OWN] = 0
    tto_due_at: Annotated[datetime | None, _OWN] = None
    ttr_due_at: Annotated[datetime | None, _OWN] = None
    tto_breached: Annotated[bool, _OWN] = False
    ttr_breached: Annotated[bool, _OWN] = False
    help_position: Annotated[int, _OWN] = 0
    help_cycle: Annotated[int, _OWN] = 0
    help_level: Annotated[SupportLevel, _OWN] = LOWEST
    help_team: Annotated[str | None, _OWN] = None
    help_team_position: Annotated[int, _OWN] = 0
    help_accepted_by: Annotated[PersonId | None, _OWN] = None
    problem_refs: Annotated[str, _OWN] = ""
    cause_left: Annotated[bool, _OWN] = False
    flapping_keys: Annotated[str, _OWN] = ""
    tto_hours: Annotated[str | None, _OWN] = None
    ttr_hours: Annotated[str | None, _OWN] = None
    due_hours: Annotated[str | None, _OWN] = None
    """In which hours the promise that is due first is counted: `3:lisbonne`."""
    ttr_left: Annotated[int | None, _OWN] = None
    """Working seconds that the promise to resolve leaves, while it stands."""
    label_words: Annotated[str, _OWN] = ""
    """Of the alert that opened it; it is found by them."""
    contacts: Annotated[str, _OWN] = ""
    """Who was in touch about it."""


def in_stock(row: QueueRow) -> bool:
    """Tell whether the incident counts as open; resolved ones await closure."""
    return row.status in IN_STOCK


BREACHED, AWAITS_CLOSURE = 0, 2
"""The first and the last of the ranks."""


def rank(row: QueueRow) -> int | None:
    """Return the first part of the order; none once it ended.

    What broke a promise stands before what needs work, and that before what only
    awaits its closure.
    """
    if not in_stock(row):
        return None
    if row.status not in AT_WORK:
        return AWAITS_CLOSURE
    return BREACHED if row.breached else 1


def ranks(status: Status) -> frozenset[int]:
    """Return the ranks that incidents of this status can have."""
    if status not in IN_STOCK:
        return frozenset()
    return frozenset({BREACHED, 1} if status in AT_WORK else {AWAITS_CLOSURE})


RANKS = frozenset[int]().union(*map(ranks, IN_STOCK))
