"""One incident as the queues show it: the fields of a row, each with its meaning.

The columns of its table, their types and the statements that read and write them follow
from the annotations. What changes a field is in `projection.py` and `promises.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from shared.database.table import Int4
from shared.domain.events.incident import Origin, PersonId
from shared.domain.identifiers import IncidentRef, ProblemRef
from shared.domain.incident import IN_STOCK, Status
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import PauseReason, SupportLevel

Changes = dict[str, object]
"""New values of some fields, by name."""
LOWEST: SupportLevel = "n1"
"""The level at which an escalation starts."""

_OWN = Field(exclude=True)
"""Marks what single streams reported; the visible fields are derived from these."""


@dataclass(frozen=True)
class QueueRow:
    """An incident after its event at `position`.

    Instants are those of decisions (`Event.at`). `updated_at`, `version` and `position`
    are those of the newest event of its own stream, `updated_at` being when it was
    recorded. `repeats` counts the signals that changed nothing.
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
    """The team that works on it, by the latest assignment or escalation."""
    assignee: PersonId | None
    reporter: PersonId | None
    origin: Origin
    opened_at: datetime
    reported_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    restored_at: datetime | None
    ended_at: datetime | None
    """When it was closed, cancelled or merged."""
    pause_reason: PauseReason | None
    cycle: Int4
    repeats: int
    merged_into: IncidentRef | None
    version: int
    position: int
    user_reported: bool
    """Whether a person reported it, or only monitoring did."""
    level: SupportLevel
    accepted_by: PersonId | None
    """Who accepted it at this support level."""
    due_at: datetime | None
    """When the earliest running promise is due; null while it is paused."""
    due_target: Literal["tto", "ttr"] | None
    breached: bool
    """Whether a promise to own or to resolve was broken in this cycle."""
    flapping: bool
    """Whether one of its signals is flapping; its recoveries are ignored for now."""
    snoozed_until: datetime | None
    """Until when repeats do not notify anybody; it may be in the past."""
    root_cause: Literal["open", "problem"] | None
    """Set if a workaround resolved it and its cause still exists: `problem` if an open
    problem investigates it, `open` if none does and one should be linked."""
    quick_fix: bool
    """Whether it came back a few days after it was resolved by a workaround."""
    own_team: Annotated[str, _OWN]
    own_team_position: Annotated[int, _OWN]
    presumed_problem: ProblemRef | None = None
    """The problem to which it was matched only by its service; to be confirmed."""
    reminder_due: datetime | None = None
    """When the caller's first reminder is or was due; null without one."""
    sla_position: Annotated[int, _OWN] = 0
    sla_cycle: Annotated[Int4, _OWN] = 0
    tto_due_at: Annotated[datetime | None, _OWN] = None
    ttr_due_at: Annotated[datetime | None, _OWN] = None
    tto_breached: Annotated[bool, _OWN] = False
    ttr_breached: Annotated[bool, _OWN] = False
    help_position: Annotated[int, _OWN] = 0
    help_cycle: Annotated[Int4, _OWN] = 0
    help_level: Annotated[SupportLevel, _OWN] = LOWEST
    help_team: Annotated[str | None, _OWN] = None
    help_team_position: Annotated[int, _OWN] = 0
    help_accepted_by: Annotated[PersonId | None, _OWN] = None
    problem_refs: Annotated[str, _OWN] = ""
    """Its problems, with `@` and the cycle if one was resolved: `PRB-1 PRB-2@1`."""
    cause_left: Annotated[bool, _OWN] = False
    flapping_keys: Annotated[str, _OWN] = ""
    tto_hours: Annotated[str | None, _OWN] = None
    ttr_hours: Annotated[str | None, _OWN] = None
    due_hours: Annotated[str | None, _OWN] = None
    """Policy version and calendar of the promise that is due first: `3:lisbonne`."""
    ttr_left: Annotated[Int4 | None, _OWN] = None
    """Working seconds left of the promise to resolve, while it is paused."""
    label_words: Annotated[str, _OWN] = ""
    """Words of the labels of the alert that opened it, for searches."""
    contacts: Annotated[str, _OWN] = ""
    """Who contacted the desk about it."""
    reminders: Annotated[str, _OWN] = ""
    """Who is reminded of it, and when: `nadia@2025-06-30T09:00:00+00:00 paul@…#2`.

    `#2`: their second reminder.
    """


_NAMES = frozenset(field.name for field in fields(QueueRow))


def changed(row: QueueRow, changes: Changes) -> QueueRow:
    """Return a row with some fields changed; `TypeError` for one that it does not have.

    `dataclasses.replace` takes 16 µs for so many fields, this 1 µs.
    """
    if not changes.keys() <= _NAMES:
        raise TypeError(f"a row of the queue has no {sorted(changes.keys() - _NAMES)}")
    after = object.__new__(QueueRow)
    after.__dict__.update(row.__dict__)
    after.__dict__.update(changes)
    return after


def reminders_of(row: QueueRow) -> dict[tuple[str, int], str]:
    """Return the instants of all reminders, by person and number."""
    found: dict[tuple[str, int], str] = {}
    for each in row.reminders.split():
        person, _, rest = each.partition("@")
        due_at, _, number = rest.partition("#")
        found[person, int(number or 1)] = due_at
    return found


def with_own_reminders(rows: Iterable[QueueRow], person: str | None) -> list[QueueRow]:
    """Return rows as `person` sees them: with their own reminders only."""
    return [_with_own_reminder(row, person) if row.reminders else row for row in rows]


def _with_own_reminder(row: QueueRow, person: str | None) -> QueueRow:
    own = min(
        (
            datetime.fromisoformat(due_at)
            for (who, _), due_at in reminders_of(row).items()
            if who == person
        ),
        default=None,
    )
    return changed(row, {"reminder_due": own})


def in_stock(row: QueueRow) -> bool:
    """Return whether the incident counts as open; resolved ones await closure."""
    return row.status in IN_STOCK
