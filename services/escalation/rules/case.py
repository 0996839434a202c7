"""The state of an incident in this service: level, pages, hand-overs, notices.

It holds no personal data. Instants are recording times of log entries, or follow from a
rule, in whole seconds: never the time at which the service happened to look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from shared.domain.events.escalation import Trigger
from shared.domain.events.notification import Kind
from shared.domain.events.problem import Match
from shared.domain.incident.state import UNTOLD, Holders, Noticed, begun, passed
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import PauseReason, SupportLevel

Stage = Literal["at_work", "resolved", "closed", "cancelled", "merged"]


class Stood(NamedTuple):
    """A time that does not count: the incident was paused, or the service was back."""

    since: datetime
    until: datetime
    why: PauseReason | Literal["restored"]


class Claim(NamedTuple):
    """A person took the incident on, or it was assigned to them."""

    person: str
    how: Literal["acknowledged", "assigned"]


class Alarm(NamedTuple):
    """A warning or breach from the SLA watcher that managers may be notified of.

    For a warning: the share of the target, or the distance from the due time; and how
    often the target had been changed before.
    """

    on: Trigger
    percent: int | None
    cycle: int
    since: datetime
    offset: int | None = None
    retargets: int | None = None


class Tip(NamedTuple):
    """An event that may use up a budget: a breach of TTR, an overrun, a restoration.

    `since` is the instant of the breach, or when the work was done; `at` is when it was
    noticed.
    """

    position: int
    policy: int
    since: datetime
    at: datetime
    is_back: bool = False


class Tell(NamedTuple):
    """A notice about an event; its recipients are determined when it is requested.

    `people` is None if the policy determines the recipients: the members of `team` in
    version `policy`, if these are given. `last_at` is the instant of the event.
    """

    kind: Kind
    stream: str
    version: int
    people: tuple[str, ...] | None
    last_at: datetime
    team: str | None = None
    policy: int | None = None


@dataclass(frozen=True)
class LevelSearch:
    """The support level that an incident is at, and how far paging has got there."""

    level: SupportLevel
    team: str
    entered_at: datetime
    counts_from: datetime
    """Working time at the level counts from here: at n1 from the report."""
    searched_from: datetime
    """The paging steps count from here; later if the service was back in between."""
    paged: tuple[str, ...] = ()
    """Keys of the pages that were sent."""
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    unanswered: bool = False
    returns: int = 0
    """How often it had been returned in this cycle when it came to this level."""


class ProblemAnswer(NamedTuple):
    """How a hand-over ended: Problem Management's answer, or an automatic join.

    `matched` is what the problem matched by; None if a person linked it.
    """

    how: Literal["accepted", "joined"]
    problem: str
    matched: Match | None = None


@dataclass(frozen=True)
class Handover:
    """The hand-over of the incident to Problem Management, at most one."""

    cycle: int
    breached_at: datetime
    detected_at: datetime
    position: int
    """Position of the breach in the log: what was known then decides the matching."""
    state: Literal[
        "wanted", "requested", "unanswered", "accepted", "joined", "declined"
    ] = "wanted"
    team: str | None = None
    answer_by: datetime | None = None
    answer: ProblemAnswer | None = None
    """The answer, until it is recorded."""
    joined: str | None = None
    """The problem it joined automatically."""
    to_be_confirmed: bool = False
    """It joined that problem because of the service alone."""
    undone: bool = False
    """It was taken out of the problem that it had joined automatically."""

    @property
    def awaits(self) -> bool:
        """Whether Problem Management has not answered yet."""
        return self.to_be_confirmed or self.state in {"requested", "unanswered"}


@dataclass(frozen=True)
class ServiceHandover:
    """The hand-over of the service whose budget this incident's breach used up."""

    service: str
    team: str
    answer_by: datetime | None
    state: Literal["requested", "unanswered", "accepted", "joined", "declined"] = (
        "requested"
    )
    answer: ProblemAnswer | None = None
    """The answer, until it is recorded."""

    @property
    def awaits(self) -> bool:
        """Whether Problem Management has not answered yet."""
        return self.state in {"requested", "unanswered"}


@dataclass(frozen=True)
class Case:
    """An incident, as far as escalation and notifications need to know it."""

    incident: str
    policy: int
    """The policy version it was opened under."""
    service: str
    client: str | None
    priority: Priority
    reported_at: datetime
    changed_at: datetime
    """When the newest event read about it was recorded."""
    desk_team: str
    post: LevelSearch
    noticed: Noticed = UNTOLD
    """How the incident became known."""
    stage: Stage = "at_work"
    cycle: int = 1
    urgent_since: datetime | None = None
    """Since when it is a P1 that nobody has acknowledged."""
    taken: bool = False
    assignee: str | None = None
    moves_to: str | None = None
    """The team it was assigned to since its level last changed in this cycle."""
    holders: Holders | None = None
    """Teams that have had it in this cycle; None if opened before these were kept."""
    claim: Claim | None = None
    pause: PauseReason | None = None
    paused_at: datetime | None = None
    restored_at: datetime | None = None
    merged_at: datetime | None = None
    stood: tuple[Stood, ...] = ()
    own_reporters: tuple[str, ...] = ()
    absorbed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    received: tuple[tuple[str, ...], datetime] | None = None
    """Who was last sent a receipt, and the instant of the event it was for."""
    alarm: Alarm | None = None
    raised: tuple[str, ...] = ()
    """Keys of the notices that managers were sent."""
    handover: Handover | None = None
    tip: Tip | None = None
    """The event that may have used up its service's budget, until the next one."""
    service_handover: ServiceHandover | None = None
    problems: tuple[str, ...] = ()
    """Problems it is linked to."""
    joined: Mapping[str, int] = field(default_factory=dict)
    """Position in the log of the link to each problem."""
    parted: tuple[str, ...] = ()
    """Problems it was taken out of: it does not join these automatically."""
    workarounds: Mapping[str, int] = field(default_factory=dict)
    """By problem, the version of the newest workaround read since the link."""
    heard: tuple[tuple[str, int, str], ...] = ()
    """Who was notified of which workaround: its stream, its version, the person."""
    suggested: str | None = None
    """The team to which a problem was suggested when the incident was opened."""
    to_tell: tuple[Tell, ...] = ()
    escalations: int = 0
    """Version of its stream `escalation-…`."""
    handovers: int = 0
    """Version of its stream `handover-…`."""

    @property
    def reporters(self) -> tuple[str, ...]:
        """All people who reported it or an incident merged into it."""
        return tuple(sorted({*self.own_reporters}.union(*self.absorbed.values())))

    def held_by(self, team: str, at: datetime) -> Holders:
        """Return the teams that have had it, once `team` has it."""
        return passed(self.holders or begun(self.desk_team), team, at)

    @property
    def searches(self) -> bool:
        """Whether the incident is open and the service is not restored."""
        return self.stage == "at_work" and self.restored_at is None
