"""The state of an incident in this service: level, pages, hand-overs, notices.

It holds no personal data. Instants are recording times of log entries, or follow from a
rule, in whole seconds: never the time at which the service happened to look.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Literal, NamedTuple

from services.escalation.round_robin.rules import Turn
from shared.domain.events.escalation import Trigger
from shared.domain.events.notification import Channel, Kind
from shared.domain.events.problem import Match
from shared.domain.incident.case import IncidentCase
from shared.domain.incident.state import Holders, begun, passed
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import PauseReason, SupportLevel

Stage = Literal["at_work", "resolved", "closed", "cancelled", "merged"]


class StoppedTime(NamedTuple):
    """A time that does not count: the incident was paused, or the service was back."""

    since: datetime
    until: datetime
    why: PauseReason | Literal["restored"]


class Standing(NamedTuple):
    """The priority and the service that an incident has had since an instant."""

    priority: Priority
    service: str
    since: datetime


class Claim(NamedTuple):
    """A person took the incident on, or it was assigned to them."""

    person: str
    how: Literal["acknowledged", "assigned"]
    was_paged: bool = False
    """Whether they had been paged about it at its level."""


class Acknowledgement(NamedTuple):
    """Somebody took the incident on at its level: acknowledged it, or accepted it.

    It lapses after a time without an update, if the policy says so.
    """

    person: str
    updated_at: datetime
    is_reminded: bool = False
    is_acceptance: bool = False


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


class PageRef(NamedTuple):
    """A page by its key, with the step of an escalation policy that it is of."""

    key: str
    policy: int
    level: SupportLevel
    step: int
    escalation_policy: str | None


class PendingNotice(NamedTuple):
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
    quiet: bool = False
    """Only by mail: it wakes nobody."""
    channel: Channel | None = None
    """The channel that it goes to, instead of people."""
    exhausted: bool = False
    """It says that nobody is left to page."""
    page: PageRef | None = None
    """The page that it is, if it is one; None if it was made before this was kept."""
    team_channel: str | None = None
    """The name of that channel, if it is one of a team."""

    @property
    def is_settled_by_acceptance(self) -> bool:
        """Whether it asks for somebody to accept the incident, and for no more."""
        return self.exhausted or self.kind in {"page", "nobody_notified"}


class Haste(NamedTuple):
    """Somebody who was paged asked for the next attempt to be made at once.

    `step` and `loop` are that attempt of the named policy, or of the shared steps;
    those before it are left out.
    """

    at: datetime
    step: int
    loop: int
    escalation_policy: str | None = None


class PlannedAttempt(NamedTuple):
    """A request that a person's rules plan; without `due_at` only after a failure."""

    key: str
    method: str
    channel: Channel
    number: int
    due_at: datetime | None


class PlannedNotice(NamedTuple):
    """What is left of the plan by which a person is notified of something."""

    notice: PendingNotice
    person: str
    left: tuple[PlannedAttempt, ...]
    requested: tuple[str, ...] = ()
    """Keys of those that were requested."""
    is_urgent: bool = False
    """One of these failed for good: the next is due at once."""
    arrived: tuple[str, ...] = ()
    """Keys of those that were confirmed; a provider may report a failure later."""

    def later_by(self, stopped: timedelta) -> "PlannedNotice":
        """Return the plan after a time in which nobody had to accept the incident."""
        left = tuple(
            each._replace(due_at=_later(each.due_at, stopped)) for each in self.left
        )
        return self._replace(left=left)


class PageDelivery(NamedTuple):
    """The messages of a page, until somebody accepts the incident.

    `version` is that of the page in the stream `escalation-…`.
    """

    version: int
    page: str
    """The page's key."""
    under_way: tuple[str, ...] = ()
    """Keys of the messages that were neither confirmed nor failed."""
    arrived: tuple[str, ...] = ()
    """Keys of those that were confirmed; a provider may report a failure later."""
    is_requested: bool = False
    throttled: tuple[str, ...] = ()
    """Keys of those that wait long for the limits of their contact method."""
    ref: PageRef | None = None
    """None if the page was made before this was kept."""


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
    asked: tuple[str, ...] = ()
    """The people who were paged."""
    team_channels: tuple[tuple[str, Channel], ...] = ()
    """The channels of teams that were paged, and by what they are reached."""
    asked_before: tuple[str, ...] = ()
    """Those who were paged before an acknowledgement lapsed: they may still answer."""
    declined: tuple[str, ...] = ()
    """Those of them who answered that they cannot take it."""
    all_declined_at: datetime | None = None
    """When the last of them did."""
    called: tuple[tuple[str, str], ...] = ()
    """Who asked for another person to be paged, and the key of the page they had."""
    hastened: tuple[Haste, ...] = ()
    accepted_by: str | None = None
    also_accepted_by: tuple[str, ...] = ()
    """Further people, if a step wants several."""
    still_wanted: int = 0
    """How many more have to accept it, since somebody did."""
    accepted_at: datetime | None = None
    unanswered: bool = False
    unanswered_at: datetime | None = None
    exhausted: int = 0
    """How often the manager was told at this level that nobody accepted it."""
    exhausted_at: datetime | None = None
    """When they were told last, since somebody was paged."""
    exhausted_version: int = 0
    """The version of that event in the stream `escalation-…`."""
    returns: int = 0
    """How often it had been returned in this cycle when it came to this level."""
    given: int = 0
    """How often it was given to another team of this level since."""
    lapses: int = 0
    """How often an acknowledgement lapsed at this level, and the steps began again."""
    turns: tuple[tuple[str, Turn], ...] = ()
    """The last turn of each target that was paged by turns, by its key."""
    holds: tuple[tuple[datetime, datetime], ...] = ()
    """Times in which steps waited until somebody was on call, the oldest first."""

    @property
    def takers(self) -> tuple[str, ...]:
        """All people who accepted it, the one who has it first."""
        first = () if self.accepted_by is None else (self.accepted_by,)
        return (*first, *self.also_accepted_by)

    @property
    def ever_asked(self) -> tuple[str, ...]:
        """All people who were paged at this level, also before a lapse."""
        return (*self.asked, *self.asked_before)

    @property
    def has_enough(self) -> bool:
        """Whether somebody accepted it, and as many as are wanted."""
        return self.accepted_by is not None and not self.still_wanted

    @property
    def stay(self) -> str:
        """The part of a key that distinguishes stays at one level."""
        returned = f".{self.returns}" if self.returns else ""
        given = f".given-{self.given}" if self.given else ""
        return returned + given + (f".lapsed-{self.lapses}" if self.lapses else "")

    def later_by(self, stopped: timedelta) -> "LevelSearch":
        """Return the search after a time in which nobody was paged."""
        return replace(
            self,
            searched_from=self.searched_from + stopped,
            unanswered_at=_later(self.unanswered_at, stopped),
            exhausted_at=_later(self.exhausted_at, stopped),
            hastened=tuple(
                each._replace(at=each.at + stopped) for each in self.hastened
            ),
            holds=tuple((since + stopped, end + stopped) for since, end in self.holds),
        )


def _later(instant: datetime | None, stopped: timedelta) -> datetime | None:
    return None if instant is None else instant + stopped


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
    """The problem it became part of; None until then, or if kept before this was."""
    to_be_confirmed: bool = False
    """It joined that problem because of the service alone."""
    undone: bool = False
    """It was taken out of that problem."""
    proposed: tuple[str, ...] = ()
    """Problems that Problem Management may choose from, until it answers."""
    to_propose: tuple[str, ...] = ()
    """A problem that came to be of its signature, until that is recorded."""

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
    joined: str | None = None
    """The problem it became part of; None until then, or if kept before this was."""
    undone: bool = False
    """The incident was taken out of that problem."""

    @property
    def awaits(self) -> bool:
        """Whether Problem Management has not answered yet."""
        return self.state in {"requested", "unanswered"}


@dataclass(frozen=True, kw_only=True)
class Case(IncidentCase):
    """An incident, as far as escalation and notifications need to know it."""

    changed_at: datetime
    """When the newest event read about it was recorded."""
    desk_team: str
    post: LevelSearch
    stage: Stage = "at_work"
    urgent_since: datetime | None = None
    """Since when it is a P1 that nobody has acknowledged."""
    taken: bool = False
    assignee: str | None = None
    moves_to: str | None = None
    """The team it was assigned to since its level last changed in this cycle."""
    holders: Holders | None = None
    """Teams that have had it in this cycle; None if opened before these were kept."""
    claim: Claim | None = None
    acknowledgement: Acknowledgement | None = None
    """The one that may lapse."""
    merged_at: datetime | None = None
    stood: tuple[StoppedTime, ...] = ()
    standings: tuple[Standing, ...] = ()
    """Its priorities and services, the newest last; instants later by the times in
    which nobody was paged. Empty if it was opened before these were kept."""
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
    to_tell: tuple[PendingNotice, ...] = ()
    planned: tuple[PlannedNotice, ...] = ()
    """Requests that become due later, by the rules of people."""
    deliveries: tuple[PageDelivery, ...] = ()
    """Pages, with what is known of their messages."""
    unreachable: tuple[str, ...] = ()
    """People without a verified contact method whose managers were informed."""
    escalations: int = 0
    """Version of its stream `escalation-…`."""
    handovers: int = 0
    """Version of its stream `handover-…`."""

    def held_by(self, team: str, at: datetime) -> Holders:
        """Return the teams that have had it, once `team` has it."""
        return passed(self.holders or begun(self.desk_team), team, at)

    def since_when(self, holds: Callable[[Standing], bool]) -> datetime | None:
        """Return since when a condition holds without a break, None if unknown."""
        held = takewhile(holds, reversed(self.standings))
        return min((each.since for each in held), default=None)

    @property
    def searches(self) -> bool:
        """Whether the incident is open and the service is not restored."""
        return self.stage == "at_work" and self.restored_at is None
