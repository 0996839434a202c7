"""What the service remembers of an incident: where help is sought, whom it told.

No personal words are in it. Instants are those at which something entered the log, or
those of a rule, in whole seconds: never those at which we happened to look.
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
    """A time that counts for nobody: it was paused, or service was back."""

    since: datetime
    until: datetime
    why: PauseReason | Literal["restored"]


class Claim(NamedTuple):
    """Somebody took the incident on, or was given it."""

    person: str
    how: Literal["acknowledged", "assigned"]


class Alarm(NamedTuple):
    """What the SLA watcher said that managers may want to hear.

    Of a warning, at which share of the target or how far from where it is due; and how
    often the target was another one before.
    """

    on: Trigger
    percent: int | None
    cycle: int
    since: datetime
    offset: int | None = None
    retargets: int | None = None


class Tip(NamedTuple):
    """A breach of TTR read just now, how late it was, or that service is back.

    Perhaps it is one too many, or it was down too long. `since` is the instant of the
    breach, or when it was done; `at` when it was noticed.
    """

    position: int
    policy: int
    since: datetime
    at: datetime
    is_back: bool = False


class Tell(NamedTuple):
    """People are to hear of an event; who they are is decided when it is requested.

    `people` is None where the policy says who: the members of `team` in its version
    `policy`, where these are given. `last_at` is the instant of the event.
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
    """The level at which help is sought, and how far the search for somebody is."""

    level: SupportLevel
    team: str
    entered_at: datetime
    counts_from: datetime
    """Working time at the level counts from here: at n1 from the report."""
    searched_from: datetime
    """The steps count from here; later where service was back between."""
    paged: tuple[str, ...] = ()
    """Keys of the pages that were sent."""
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    unanswered: bool = False
    returns: int = 0
    """How often it had gone back in this cycle when it came here."""


class ProblemAnswer(NamedTuple):
    """What became of a hand-over: Problem Management's answer, or it joined by itself.

    `matched` is what it joined by; None where a person linked it.
    """

    how: Literal["accepted", "joined"]
    problem: str
    matched: Match | None = None


@dataclass(frozen=True)
class Handover:
    """The hand-over of the incident to Problem Management, wanted once."""

    cycle: int
    breached_at: datetime
    detected_at: datetime
    position: int
    """Of the breach in the log: what was known then is what counts."""
    state: Literal[
        "wanted", "requested", "unanswered", "accepted", "joined", "declined"
    ] = "wanted"
    team: str | None = None
    answer_by: datetime | None = None
    answer: ProblemAnswer | None = None
    """What became of it, until that is said."""
    joined: str | None = None
    """The problem it joined by itself."""
    to_be_confirmed: bool = False
    """It joined that by its service alone."""
    undone: bool = False
    """It was taken out of the problem that it had joined by itself."""

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
    """What became of it."""

    @property
    def awaits(self) -> bool:
        """Whether Problem Management has not answered yet."""
        return self.state in {"requested", "unanswered"}


@dataclass(frozen=True)
class Case:
    """An incident as far as looking for help and telling people goes."""

    incident: str
    policy: int
    """The version it was opened under."""
    service: str
    client: str | None
    priority: Priority
    reported_at: datetime
    changed_at: datetime
    """When the newest of what we read about it was recorded."""
    desk_team: str
    post: LevelSearch
    noticed: Noticed = UNTOLD
    """How it came to be known."""
    stage: Stage = "at_work"
    cycle: int = 1
    urgent_since: datetime | None = None
    """Since when it is P1 and nobody has taken it on."""
    taken: bool = False
    assignee: str | None = None
    moves_to: str | None = None
    """The team it was given to since it last changed its level in this cycle."""
    holders: Holders | None = None
    """Who has had it in this cycle; None: it was opened before that was counted."""
    claim: Claim | None = None
    pause: PauseReason | None = None
    paused_at: datetime | None = None
    restored_at: datetime | None = None
    merged_at: datetime | None = None
    stood: tuple[Stood, ...] = ()
    own_reporters: tuple[str, ...] = ()
    absorbed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    received: tuple[tuple[str, ...], datetime] | None = None
    """Who was last sent a receipt, and of which instant."""
    alarm: Alarm | None = None
    raised: tuple[str, ...] = ()
    """Keys of what managers were told."""
    handover: Handover | None = None
    tip: Tip | None = None
    """What may have used up the budget of its service, until more is read."""
    service_handover: ServiceHandover | None = None
    problems: tuple[str, ...] = ()
    """Problems it is linked to."""
    joined: Mapping[str, int] = field(default_factory=dict)
    """Position in the log at which it was linked to each of them."""
    parted: tuple[str, ...] = ()
    """Problems it was taken out of: it joins none of them by itself."""
    workarounds: Mapping[str, int] = field(default_factory=dict)
    """By problem, the version of the newest workaround read since it was linked."""
    heard: tuple[tuple[str, int, str], ...] = ()
    """Who was told of which workaround: its stream, its version, and the person."""
    suggested: str | None = None
    """The team to which a problem was suggested when it was opened."""
    to_tell: tuple[Tell, ...] = ()
    escalations: int = 0
    """Version of its stream `escalation-…`."""
    handovers: int = 0
    """Version of its stream `handover-…`."""

    @property
    def reporters(self) -> tuple[str, ...]:
        """Everybody who reported it or an incident merged into it."""
        return tuple(sorted({*self.own_reporters}.union(*self.absorbed.values())))

    def held_by(self, team: str, at: datetime) -> Holders:
        """Return who has had it once `team` has it."""
        return passed(self.holders or begun(self.desk_team), team, at)

    @property
    def searches(self) -> bool:
        """Whether somebody is still to put it right."""
        return self.stage == "at_work" and self.restored_at is None
