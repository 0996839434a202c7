"""What an incident is: the state that the events of its stream add up to.

How an incident came to be known: by a user, by monitoring, or to the desk itself.

Which teams have had an incident in a cycle, and how often it came back to one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from shared.domain.events.event import Actor
from shared.domain.events.incident import (
    IncidentContacted,
    IncidentOpened,
    Origin,
    PersonId,
    SignalState,
)
from shared.domain.events.incident_ties import Relation
from shared.domain.identifiers import IncidentRef, ProblemRef
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import Channel, PauseReason, ReportKind


class Noticed(NamedTuple):
    """Who noticed it first, of whom a user outweighs all; and on which channel.

    What is None is not known, or not so: monitoring uses no channel.
    """

    kind: ReportKind | None = None
    channel: Channel | None = None
    """On which the first user was in touch."""


UNTOLD = Noticed()
"""Nothing is known of how it came to be known."""


def opened_by(event: IncidentOpened) -> Noticed:
    """Return how an incident is known when it is taken on record."""
    if event.reporter:
        return Noticed("user", event.channel)
    machine = event.origin == "monitoring" or event.split_signals
    return Noticed("monitoring" if machine else "desk")


def after_contact(noticed: Noticed, event: IncidentContacted) -> Noticed:
    """Return how it is known after somebody was in touch: a user's report stays."""
    if event.direction == "outbound" or event.unconfirmed:
        return noticed
    return Noticed("user", noticed.channel or event.channel)


class Holders(NamedTuple):
    """The teams that had it in this cycle, each once; the last is the one that has it.

    `returns` counts how often it came to a team that had it before, the last at
    `returned_at`. A new cycle begins with the `desk`.
    """

    desk: str
    teams: tuple[str, ...]
    returns: int = 0
    returned_at: datetime | None = None


def begun(desk: str) -> Holders:
    """Return the desk alone: a cycle begins."""
    return Holders(desk, (desk,))


def passed(holders: Holders, team: str, at: datetime) -> Holders:
    """Return the teams once `team` has the incident; nothing moves where it has."""
    if team == holders.teams[-1]:
        return holders
    others = tuple(each for each in holders.teams if each != team)
    after = holders._replace(teams=(*others, team))
    if team not in holders.teams:
        return after
    return after._replace(returns=holders.returns + 1, returned_at=at)


class Status(StrEnum):
    """Where an incident stands. Restored is none of these: see `restored_at`."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    PAUSED = "paused"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"


AT_WORK = frozenset({Status.NEW, Status.ACKNOWLEDGED, Status.PAUSED})
"""Statuses in which something is still to be done about the trouble."""

IN_STOCK = AT_WORK | {Status.RESOLVED}
"""What counts as open in the balance; a resolved one still awaits its closure."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Whom we wait for, since when, and what the user was asked."""

    reason: PauseReason
    since: datetime
    question: str | None


@dataclass(frozen=True)
class Incident:
    """An incident after some of its events."""

    ref: IncidentRef
    status: Status
    origin: Origin
    title: str
    description: str | None
    """What the source or the agent wrote, or it was last edited to; a reporter's own
    words are in their contact."""
    service: str
    category: str | None
    client: str | None
    impact: Impact
    urgency: Urgency
    priority: Priority
    override: bool
    """The priority was set by hand, not by the matrix."""
    classified_by: Actor | None
    """Who last classified it after it was opened."""
    team: str
    """Whom it was last given to; it may have been escalated since."""
    desk_team: str
    """Who took it on record."""
    assignee: PersonId | None
    reporter: PersonId | None
    """The first person who reported it."""
    own_reporters: frozenset[PersonId]
    """Those who reported this incident itself."""
    opened_at: datetime
    reported_at: datetime
    signals: Mapping[str, SignalState]
    noticed: Noticed = UNTOLD
    """How it came to be known."""
    cycle: int = 1
    given: bool = False
    """Whether it was given to its team in this cycle."""
    acknowledged_by: Actor | None = None
    """Who took it on first in this cycle."""
    acknowledged_at: datetime | None = None
    pause: Pause | None = None
    last_contact: IncidentContacted | None = None
    answered: bool = False
    """A user was in touch since it was last resolved, or ever, where it was not."""
    last_message: str | None = None
    last_informed_at: datetime | None = None
    restored_at: datetime | None = None
    workaround: bool = False
    """Service is back by a workaround only."""
    root_cause_open: bool = False
    """It was resolved on a workaround: the cause is still there."""
    solution: str | None = None
    """What N1 can do by itself next time."""
    asks_for_solution: bool = False
    """It was resolved above N1, and nobody has noted how N1 could do that."""
    used_solution: IncidentRef | None = None
    """Whose solution note it was last resolved by."""
    said: frozenset[tuple[str, str]] = frozenset()
    """The words that came with ending it or beginning it again, each with its verb."""
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_because: str | None = None
    merged_into: IncidentRef | None = None
    absorbed: Mapping[IncidentRef, tuple[PersonId, ...]] = field(default_factory=dict)
    """Incidents merged into this one, and who had reported them."""
    source_acknowledged: frozenset[str] = frozenset()
    """Keys of signals that somebody acknowledged at their source."""
    flapping_keys: frozenset[str] = frozenset()
    """Keys of signals that go up and down."""
    snoozed_until: datetime | None = None
    """Until when no news is made of its repeats; it may be past."""
    links: frozenset[tuple[Relation, str]] = frozenset()
    presumed_problems: frozenset[ProblemRef] = frozenset()
    """Problems it may have, which nobody has confirmed."""
    resolved_problems: Mapping[ProblemRef, int] = field(default_factory=dict)
    """Of its problems those that were resolved, and in which cycle."""
    split_into: frozenset[IncidentRef] = frozenset()

    @property
    def reporters(self) -> frozenset[PersonId]:
        """Everybody who reported it or an incident merged into it."""
        return self.own_reporters.union(*self.absorbed.values())

    @property
    def problems(self) -> frozenset[str]:
        """The problems it is linked to as its causes."""
        return frozenset(to for relation, to in self.links if relation == "problem")

    @property
    def root_cause(self) -> Literal["open", "problem"] | None:
        """Who looks for a cause that is still there: a problem, or nobody (`open`)."""
        resolved = self.resolved_problems
        return cause_left(
            {ref: resolved.get(ref) for ref in self.problems},
            self.cycle,
            is_left=self.root_cause_open,
        )

    @property
    def flapping(self) -> bool:
        """Whether a signal of it goes up and down."""
        return bool(self.flapping_keys)

    @property
    def status_at_work(self) -> Status:
        """The status it has while nobody waits and nothing has ended it."""
        return Status.ACKNOWLEDGED if self.acknowledged_at else Status.NEW


def cause_left(
    problems: Mapping[str, int | None], cycle: int, *, is_left: bool
) -> Literal["open", "problem"] | None:
    """Return who looks for the cause of an incident, None where nothing of it is left.

    `problems` are its problems, each with the cycle in which it was resolved, None for
    an open one. One that was resolved in an earlier cycle has not removed the cause.
    """
    if not is_left:
        return None
    if None in problems.values():
        return "problem"
    return None if cycle in problems.values() else "open"


def changed(incident: Incident, **changes: object) -> Incident:
    """Return the incident with some fields changed.

    `dataclasses.replace` takes 16 µs for so many fields, this 1 µs. Nothing checks the
    names but a test over any history.
    """
    after = object.__new__(Incident)
    after.__dict__.update(incident.__dict__)
    after.__dict__.update(changes)
    return after


class BrokenHistory(Exception):
    """A stream whose events cannot have happened in that order."""
