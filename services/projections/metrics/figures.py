"""The numbers of a period as answers show them; each has a definition."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Shown(BaseModel):
    """A part of the numbers."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Satisfaction(Shown):
    """How users rated the desk."""

    share: float | None
    """Satisfied answers ÷ answers; null if it would tell what a few answered."""
    n: int
    """How many answered in the period."""
    invited: int
    """Invitations in the period."""
    responded: int
    """How many of these were answered by its end."""
    response_rate: float | None
    """Responded ÷ invited."""
    note: str | None = None
    """Why there is no share, although people answered."""


class Balance(Shown):
    """The stock of open incidents and its changes."""

    open_before: int
    recorded: int
    split: int
    unmerged: int
    reopened_after_closure: int
    closed: int
    cancelled: int
    redirected: int
    """Requests that were not incidents and were handed elsewhere."""
    merged: int
    open_at_end: int
    awaiting_closure: int
    """How many of those open at the end are resolved."""


class AgeBand(Shown):
    """How many open incidents are of an age."""

    age: Annotated[str, Field(examples=["1-3"])]
    """Days: `1-3` from one day up to, but not including, three; `30+` has no end."""
    n: int


class Within(Shown):
    """How many incidents were resolved within a delay."""

    within: Annotated[str, Field(examples=["8h"])]
    working: int
    wall_clock: int


class ResolvedWithin(Shown):
    """Resolutions in the period that were not reopened by its end."""

    standing: int
    within: list[Within]


class Percentiles(Shown):
    """The 50th and 90th percentile in seconds; null if nothing was measured."""

    p50: int | None = None
    p90: int | None = None


class Times(Shown):
    """How long something took."""

    n: int
    working_seconds: Percentiles
    wall_clock_seconds: Percentiles


class TimesToAcknowledge(Times):
    """How long it took until an incident was acknowledged."""

    still_waiting: int


class Dwell(Shown):
    """How much of the TTR a support level consumed, in working seconds."""

    n: int
    p50: int
    p95: int
    total: int


class BreachedBy(Shown):
    """Breaches by the party they are attributed to."""

    user: int = 0
    vendor: int = 0
    provider: int = 0
    unattributed: int = 0
    """Breaches that nobody has attributed."""


class Kept(Shown):
    """How a target was kept."""

    met: int
    met_after_extension: int
    """How many of the met ones were kept only because of an agreed extension."""
    breached: int
    done_as_agreed: int
    """How many of the breached ones met an extension agreed after the breach."""
    cancelled: int
    """Not counted in the shares."""
    share: float | None
    """Met ÷ (met + breached)."""
    against_original: float | None
    """The share without those met after an extension."""
    against_agreed: float | None
    """The share including breached ones that were done as agreed."""
    breached_by: BreachedBy


class OlaKept(Shown):
    """How a support level kept its targets towards the desk."""

    met: int
    breached: int
    cancelled: int
    """Not counted in the share."""
    share: float | None
    """Met ÷ (met + breached)."""


class ReportedBy(Shown):
    """How incidents were reported; each is counted once."""

    user_only: int = 0
    monitoring_then_user: int = 0
    monitoring_only: int = 0
    desk: int = 0


class ReportedInCategory(ReportedBy):
    """The same for one category."""

    category: str | None


class Reported(ReportedBy):
    """How incidents were reported, and what they were about."""

    by_category: list[ReportedInCategory]


class FirstContact(Shown):
    """User-reported incidents resolved at the first contact."""

    resolved_at_first_contact: int
    n: int
    share: float | None
    not_yet_known: int


class Reopened(Shown):
    """How often incidents were reopened."""

    reopens: int
    resolutions: int
    rate: float | None


class PingPong(Shown):
    """How often incidents moved back and forth between teams."""

    returns: int
    """Moves to a team that already had the incident in the same cycle."""


class QuickFixes(Shown):
    """Resolutions by a workaround only, and how often they did not hold."""

    root_cause_open: int
    reopened: int


class Solutions(Shown):
    """Solution notes, and how much work they save above N1."""

    noted: int
    above_n1: int
    """Resolutions above N1, which ask for a note."""
    at_n1: int
    """Resolutions at N1."""
    at_n1_by_note: int
    share: float | None
    """Resolutions at N1 by a note ÷ resolutions at N1."""


class Handovers(Shown):
    """The outcome of hand-overs to Problem Management."""

    requested: int = 0
    accepted: int = 0
    joined: int = 0
    presumed: int = 0
    """Matched only by their service; once confirmed, they also count as `joined`."""
    reopened: int = 0
    """Unlinked from the problem that they had become part of: they wait again."""
    declined: int = 0
    unanswered: int = 0


class Problems(Shown):
    """Problems identified."""

    from_incidents: int
    found_by_staff: int
    handovers: Handovers


class Changes(Shown):
    """Changes that incidents led to."""

    requested: int
    requested_directly: int
    requested_through_problems: int
    planned: int
    cancelled: int


class Answering(Shown):
    """How fast contacts of a channel were answered."""

    channel: str
    in_time: int = 0
    late: int = 0
    abandoned: int = 0
    without_target: int = 0
    unknown: int = 0
    """Contacts whose waiting time was not recorded."""
    share: float | None = None


class Figures(Shown):
    """All numbers of a period; see `definitions`."""

    satisfaction: Satisfaction
    balance: Balance
    backlog_age: list[AgeBand] | None = None
    """Of the whole period and its groups; null for its parts."""
    resolved_within: ResolvedWithin
    time_to_acknowledge: TimesToAcknowledge
    time_to_restore: Times
    time_to_resolve: Times
    dwell: dict[str, Dwell]
    """By support level: `n1`, `n2`, `n3`."""
    sla: dict[str, Kept]
    """By target: `tto`, `ttr`, `update`."""
    ola: dict[str, OlaKept]
    """By level and target, if any ended: `n2_own`, `n2_work`."""
    reported: Reported
    first_contact_resolution: FirstContact
    reopened: Reopened
    ping_pong: PingPong
    quick_fixes: QuickFixes
    solutions: Solutions
    problems: Problems
    changes: Changes
    answering: list[Answering]
    """By channel."""
