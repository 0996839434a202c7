"""The state of an incident in the watcher: everything its promises depend on.

Includes the support level of the incident, since when, and whether it was taken on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple

from shared.domain import events
from shared.domain.incident.case import IncidentCase
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import SupportLevel
from shared.domain.sla import Clock

PolicyOf = Callable[[int], Policy]
"""Returns the policy of a version."""


class LevelStay(NamedTuple):
    """A stay at a support level, in the present cycle."""

    level: SupportLevel
    entered_at: datetime
    accepted_at: datetime | None = None
    """When somebody there took it on; at n1, acknowledged it."""
    left_at: datetime | None = None


class UserMessage(NamedTuple):
    """A message to a user that is on its way, and the event that it is about."""

    kind: events.Kind
    stream: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Case(IncidentCase):
    """An incident as far as promises depend on it, and its clocks."""

    split_off: bool
    told_at: datetime
    """When something last happened that users are sent a message about.

    It keeps only promises that were armed before deliveries counted.
    """
    posts: tuple[LevelStay, ...]
    """Its stays in this cycle; the last one is the present one."""
    moved_at: datetime | None = None
    """When its promises were last moved to another version of the policy."""
    moves: tuple[str, ...] = ()
    """The names of these moves."""
    classified_at: datetime | None = None
    """When its class, or its report kind, last changed after it was opened."""
    reopened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    resumed_at: datetime | None = None
    waited: tuple[events.Stop, ...] = ()
    """The pauses that are over, including those that paused no clock."""
    relapsed_at: datetime | None = None
    resolved_at: datetime | None = None
    by_itself: bool = False
    """It was restored by the recovery of its signals, not by a person."""
    gone: Literal["cancelled", "merged"] | None = None
    gone_at: datetime | None = None
    back_at: datetime | None = None
    """When its merge was undone."""
    heard_at: datetime | None = None
    """When its users last heard from the desk, or spoke to it: reported or reopened it.

    None in a case of a version before deliveries counted, until they hear again.
    """
    knows_end: bool = False
    """Whether its users have heard from the desk since it was resolved."""
    messages: Mapping[str, UserMessage] = field(default_factory=dict)
    """The messages to its users that are on their way, by key."""
    unheard_at: datetime | None = None
    """When it was over although its users have not heard so: no message arrives."""
    clocks: tuple[Clock, ...] = ()

    @property
    def user_reported(self) -> bool:
        """Whether a user reported it."""
        return self.noticed.kind == "user"

    @property
    def last_heard_at(self) -> datetime:
        """When its users last heard from the desk, or spoke to it."""
        return self.heard_at or self.told_at

    @property
    def promised_since(self) -> datetime | None:
        """When its promises last changed after it was opened."""
        since = [at for at in (self.classified_at, self.moved_at) if at is not None]
        return max(since, default=None)


def posted(case: Case, event: events.AnyEvent, at: datetime) -> Case:
    """Return the case after an event; events of an earlier cycle are ignored."""
    *before, here = case.posts
    match event:
        case events.IncidentReopened():
            return replace(case, posts=(LevelStay("n1", at),))
        case events.Escalated(cycle=cycle, to_level=level) if cycle == case.cycle:
            left = here._replace(left_at=at)
            return replace(case, posts=(*before, left, LevelStay(level, at)))
        case events.EscalationReturned(cycle=cycle, to_level=level) if (
            cycle == case.cycle
        ):
            left = here._replace(left_at=at)
            # At n1 it is acknowledged once per cycle, and not again after a return.
            taken_at = at if level == "n1" and case.acknowledged_at else None
            return replace(case, posts=(*before, left, LevelStay(level, at, taken_at)))
        case events.EscalationAccepted(cycle=cycle, level=level) if (
            cycle == case.cycle and level == here.level
        ):
            taken = here._replace(accepted_at=here.accepted_at or at)
            return replace(case, posts=(*before, taken))
        case events.IncidentAcknowledged() if here.level == "n1":
            taken = here._replace(accepted_at=at)
            return replace(case, posts=(*before, taken))
        case _:
            return case
