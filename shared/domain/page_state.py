"""The state of a page: whether it can still be answered, and who answered how."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.domain.events import (
    AnyEvent,
    Escalated,
    EscalationAccepted,
    EscalationAcknowledgementLapsed,
    EscalationAnotherRequested,
    EscalationDeclined,
    EscalationPaged,
    EscalationReturned,
    IncidentAssigned,
    IncidentReopened,
)


@dataclass(frozen=True)
class PageStanding:
    """The stay of an incident at a level in which somebody was paged."""

    pages: tuple[EscalationPaged, ...] = ()
    accepted_by: str | None = None
    """Who accepted the incident first."""
    takers: frozenset[str] = frozenset()
    """All who accepted it: a step may want several people."""
    still_wanted: int = 0
    """How many more are wanted, since somebody accepted it."""
    declined: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()
    """Who asked for another person to be paged."""

    @property
    def wanted(self) -> int | None:
        """How many more people have to accept it, None if one is enough."""
        if self.accepted_by is not None:
            return self.still_wanted or None
        return (
            max((each.acknowledgements or 0 for each in self.pages), default=0) or None
        )

    def has(self, page: str) -> bool:
        """Return whether a page, by its key, is of this stay."""
        return any(each.key == page for each in self.pages)


NOBODY_PAGED = PageStanding()


def standing_of(history: Iterable[AnyEvent]) -> PageStanding:
    """Return the stay at the level where the incident is now.

    `history` are the events of the incident and of its escalation, in log order.
    """
    found = NOBODY_PAGED
    team: str | None = None
    for event in history:
        match event:
            case Escalated(team=team) | EscalationReturned(team=team):
                found = NOBODY_PAGED
            case IncidentReopened():
                found, team = NOBODY_PAGED, None
            case IncidentAssigned(team=given) if given != team:
                found, team = NOBODY_PAGED, given
            case _:
                found = _answered(found, event)
    return found


def _answered(found: PageStanding, event: AnyEvent) -> PageStanding:
    match event:
        case EscalationPaged():
            return replace(found, pages=(*found.pages, event))
        case EscalationAccepted(person=person, still_wanted=wanted):
            return replace(
                found,
                accepted_by=found.accepted_by or person,
                takers=found.takers | {person},
                still_wanted=wanted or 0,
            )
        case EscalationAcknowledgementLapsed():
            return PageStanding(found.pages)
        case EscalationDeclined(person=person):
            return replace(found, declined=found.declined | {person})
        case EscalationAnotherRequested(person=person):
            return replace(found, called=found.called | {person})
        case _:
            return found
