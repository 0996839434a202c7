"""Teams, on-call schedules, and the settings of the desk itself.

People are named by their ids; names and addresses are in the directory, and contact
details are rejected, since a policy is kept for ever. Overrides, swaps and absences of
schedules are commands, not policy.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.domain.policy.clause import Clause, Count, Language, Name, Person
from shared.domain.policy.durations import Duration
from shared.domain.policy.local_times import LocalTime, Zone
from shared.domain.policy.targets import SupportLevel


class Team(Clause):
    """People who work together, and the manager to inform if they cannot help."""

    level: SupportLevel | None = None
    """Support level. Default: a team that incidents are not escalated to."""
    members: Annotated[tuple[Person, ...], Field(min_length=1)]
    manager: Person
    skills: Mapping[Name, tuple[Person, ...]] = {}
    """Who knows a service, unless all do; others are flagged, but never refused."""
    takes: tuple[Literal["incident", "problem", "change"], ...] = ("incident",)
    """The kinds of records that may be assigned to this team."""


_EMAIL = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?<![\w-])(?:"
    r"(?:\+|00)[1-9](?:[ .()-]{0,2}\d){6,13}"  # international: +33 1 23 45 67 89
    r"|0\d(?:[ .-]?\d{2}){4}"  # French: 01 23 45 67 89
    r"|\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}"  # North American: (514) 555-0123
    r")(?!\w)"
)


def contact_detail_in(text: str) -> str | None:
    """Return the kind of contact detail in `text`, or None."""
    if _EMAIL.search(text):
        return "an e-mail address"
    return "a telephone number" if _PHONE.search(text) else None


class Rotation(Clause):
    """Participants take turns, each `shift_length` hours, days, weeks or months."""

    type: Literal["hourly", "daily", "weekly", "monthly"]
    shift_length: Count = 1
    start: LocalTime
    """When the first participant's first turn begins."""
    participants: Annotated[tuple[Person, ...], Field(min_length=1)]


class Schedule(Clause):
    """A rotation in a zone."""

    timezone: Zone
    rotation: Rotation


def _day(written: str) -> str:
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError as wrong:
        raise ValueError("write a day such as 2025-06-30") from wrong


Day = Annotated[str, AfterValidator(_day), Field(examples=["2025-06-30"])]


QueueOrder = Literal["working_time_left", "priority", "reported_at"]


class Recovery(Clause):
    """The effect of a recovery on the incident that a source opened."""

    restores: Literal["always"] = "always"
    """A recovery always restores the service."""
    resolves: Literal["unreported", "never", "always"] = "unreported"
    """Resolves incidents that no person reported, no incidents, or all."""


class Desk(Clause):
    """The single point of contact."""

    team: Name
    """The team that owns every incident from the first contact until it is closed."""
    timezone: Zone
    """The zone of reports; users see their own."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    """The languages for users; the first applies to users without a language."""
    close_after: Duration
    """How long a resolved incident waits for its user before it is closed."""
    reopen_within: Duration
    """Later than that after closing, a new, linked incident is opened instead."""
    calendar: Name | None = None
    """The calendar for these two without a contract. Default: wall-clock time."""
    replies_reopen: Literal["closed", "resolved", "never"] = "closed"
    """Which incidents a user's reply reopens: `closed` ones, since a reply there would
    not be noticed; also `resolved` ones; or none (`never`)."""
    reply_tags_since: Day | None = None
    """Replies to mails sent before this day (UTC) do not verify their sender. Default:
    replies to any mail do."""
    queue_order: QueueOrder = "working_time_left"
    """The default order of open incidents: breached ones first and then by least
    working time left; by priority, each sorted in that way; or oldest first. Resolved
    ones that await their closure are always last."""
    recovery: Recovery = Recovery()
    nats_monitor: Literal["accepted", "refused"] = "accepted"
    """Whether signals of the NATS user `monitor` are accepted. It may name any source:
    refuse it once each source connects with its own key."""
