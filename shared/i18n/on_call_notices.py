"""Notices about being on call: hand-overs, shifts to come, gaps, hours of a month.

They have no text of people. None of them wakes anybody: they are sent by mail only,
except for tests of pages.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar


@dataclass(frozen=True)
class ShiftLine:
    """A shift or a gap of a schedule; `people` are the names of those on call."""

    schedule: str
    role: str = ""
    """Empty for the primary."""
    start: datetime | None = None
    end: datetime | None = None
    people: str = ""


@dataclass(frozen=True)
class IncidentLine:
    """An open incident, without its title."""

    ref: str
    priority: str
    service: str
    due_at: datetime | None = None


@dataclass(frozen=True)
class WorkLine:
    """An intervention, or a rest that was too short."""

    start: datetime
    end: datetime
    incident: str = ""


@dataclass(frozen=True)
class SwapLine:
    """A swap: `person` gives [start, end), and perhaps takes another period over."""

    schedule: str
    role: str
    person: str
    other: str
    start: datetime
    end: datetime
    other_start: datetime | None = None
    other_end: datetime | None = None
    is_accepted: bool = False
    url: str = ""
    """Where it is answered, or empty."""


@dataclass(frozen=True)
class ChangeLine:
    """A change that somebody made; without `added` and `removed` a temporary schedule.

    `absent` is a person whose absence it is.
    """

    schedule: str
    start: datetime
    end: datetime
    by: str
    added: str = ""
    removed: str = ""
    absent: str = ""
    is_withdrawn: bool = False


@dataclass(frozen=True)
class HandOff:
    """To those whose standby begins or ends at an instant, with what is open."""

    template: ClassVar = "on_call/hand_off"

    at: datetime
    begins: tuple[ShiftLine, ...] = ()
    """Schedules in which their standby begins: until when, and with whom."""
    ends: tuple[ShiftLine, ...] = ()
    """Schedules in which it ends: who is on call now, and until when."""
    incidents: tuple[IncidentLine, ...] = ()
    more: int | None = None
    """How many open incidents are not listed."""
    url: str = ""


@dataclass(frozen=True)
class ShiftReminder:
    """To a person, a day before: their shifts that begin on a day."""

    template: ClassVar = "on_call/shift_reminder"

    shifts: tuple[ShiftLine, ...]
    url: str = ""


@dataclass(frozen=True)
class GapAlarm:
    """To a manager: nobody will be on call, soon."""

    template: ClassVar = "on_call/gap_alarm"

    gaps: tuple[ShiftLine, ...]
    url: str = ""


@dataclass(frozen=True)
class SwapRequests:
    """To a person: others ask them to take a shift over."""

    template: ClassVar = "on_call/swap_request"

    swaps: tuple[SwapLine, ...]
    url: str = ""


@dataclass(frozen=True)
class SwapAnswers:
    """To those who asked for a swap: whether the other agreed."""

    template: ClassVar = "on_call/swap_answer"

    swaps: tuple[SwapLine, ...]
    url: str = ""


@dataclass(frozen=True)
class Unverified:
    """To a person who is on call soon, and whom pages may not reach."""

    template: ClassVar = "on_call/unverified"

    shifts: tuple[ShiftLine, ...]
    url: str = ""
    """Where they verify a contact method."""


@dataclass(frozen=True)
class UnverifiedAlarm:
    """To a manager: pages may not reach people who are on call soon."""

    template: ClassVar = "on_call/unverified_alarm"

    shifts: tuple[ShiftLine, ...]
    url: str = ""


@dataclass(frozen=True)
class CoverageReport:
    """To a manager, weekly: what is planned in the next weeks, and what was changed."""

    template: ClassVar = "on_call/coverage_report"

    until: datetime
    schedules: str
    gaps: tuple[ShiftLine, ...] = ()
    overlaps: tuple[ShiftLine, ...] = ()
    unverified: tuple[ShiftLine, ...] = ()
    """The first shifts of people without a verified contact method."""
    changes: tuple[ChangeLine, ...] = ()
    """What people changed since the last report."""
    more: int | None = None
    """How many lines are left out."""
    url: str = ""


@dataclass(frozen=True)
class MonthlyStatement:
    """To a person: their hours of standby and of intervention in [start, end)."""

    template: ClassVar = "on_call/monthly_statement"

    start: datetime
    end: datetime
    standby_time: timedelta
    work_time: timedelta
    standby: tuple[ShiftLine, ...] = ()
    interventions: tuple[WorkLine, ...] = ()
    short_rests: tuple[WorkLine, ...] = ()
    more: int | None = None
    """How many periods are not listed."""
    url: str = ""


@dataclass(frozen=True)
class PageTestNotice:
    """To a person whose pages are tested: nothing is wrong.

    By `url` they answer until `until` that it reached them.
    """

    template: ClassVar = "on_call/page_test"

    test: str
    until: datetime
    url: str = ""


OnCallNotice = (
    HandOff
    | ShiftReminder
    | GapAlarm
    | SwapRequests
    | SwapAnswers
    | Unverified
    | UnverifiedAlarm
    | CoverageReport
    | MonthlyStatement
    | PageTestNotice
)
