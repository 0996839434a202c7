"""What a right is limited to: clients, services and teams; and where a record belongs.

A record is within limits if it belongs to one of the clients, services and teams that
they name. Limits of several kinds hold together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple


class Place(NamedTuple):
    """Where a record belongs: its client, its service and the team that has it.

    Problems and changes have no client: no limit to clients covers them.
    """

    client: str | None
    service: str | None
    team: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The clients, services and teams that a grant is limited to; None: any."""

    clients: frozenset[str] | None = None
    services: frozenset[str] | None = None
    teams: frozenset[str] | None = None

    def covers(self, client: str | None, service: str | None, team: str | None) -> bool:
        """Return whether a record with these three is within the limits."""
        return (
            (self.clients is None or client in self.clients)
            and (self.services is None or service in self.services)
            and (self.teams is None or team in self.teams)
        )

    def includes(self, other: "Limits") -> bool:
        """Return whether everything within `other` is within these limits too."""
        return all(
            mine is None or (theirs is not None and theirs <= mine)
            for mine, theirs in (
                (getattr(self, each.name), getattr(other, each.name))
                for each in fields(self)
            )
        )

    def without_teams(self) -> "Limits":
        """Return the same limits for any team."""
        return Limits(self.clients, self.services)


class Names(NamedTuple):
    """Limits as lists of names, in tables and documents; None: any."""

    clients: list[str] | None
    services: list[str] | None
    teams: list[str] | None


def limits_from(
    clients: Iterable[str] | None,
    services: Iterable[str] | None,
    teams: Iterable[str] | None,
) -> Limits:
    """Return the limits that lists of names mean; None: any."""
    named = (clients, services, teams)
    return Limits(*(None if each is None else frozenset(each) for each in named))


def names_of(limits: Limits) -> Names:
    """Return the names in limits, each list in order."""
    named = (limits.clients, limits.services, limits.teams)
    return Names(*(None if each is None else sorted(each) for each in named))


EVERYTHING = Limits()
Within = tuple[Limits, ...] | None
"""Limits of which one must cover a record; None: no limits, every record."""


def covered(within: Within, place: Place) -> bool:
    """Return whether a record at this place is within one of the limits."""
    return within is None or any(limits.covers(*place) for limits in within)


def covers_client(within: Within, client: str) -> bool:
    """Return whether all of a client's records are within one of the limits."""
    return within is None or any(
        limits.services is None
        and limits.teams is None
        and (limits.clients is None or client in limits.clients)
        for limits in within
    )


def only_client(within: Within) -> str | None:
    """Return the client that limits name, if all of them name this one alone."""
    named = {each.clients or frozenset() for each in within or ()}
    clients = [*named.pop()] if len(named) == 1 else []
    return clients[0] if len(clients) == 1 else None
