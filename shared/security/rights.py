"""What a person may do: the roles granted to them, each perhaps within limits.

A limit names clients, services or teams, and only records of one of them are within
it; a grant with several kinds of limits covers what is within all of them. Several
grants add up: a record is visible if one of them covers it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.database.cursors import Cursors
from shared.domain.limits import (
    EVERYTHING,
    Limits,
    Place,
    Within,
    covered,
    limits_from,
)
from shared.messaging.commands import Scope

_IN_FORCE = """
SELECT grant_id, role, clients, services, teams, until FROM access.grants
WHERE person = %(person)s AND withdrawn_at IS NULL
  AND (until IS NULL OR until > %(now)s)
ORDER BY grant_id
"""
OF_THOSE_PRESENT = """NOT EXISTS (
    SELECT FROM access.removed_people AS gone
    WHERE actor = 'person:' || gone.person AND gone.removal > after_removal
)"""
"""Holds for the credentials of those who were not removed since these were created.

People who return get new ones: what they had before ended for good. A trigger notes the
newest removal in each new credential: two hosts have two clocks, and the database has
one order.
"""
_OF_TOKENS = f"""
SELECT scopes, clients, services, teams FROM access.tokens
WHERE actor = 'person:' || %s AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > %s) AND {OF_THOSE_PRESENT}
ORDER BY token_id
"""  # noqa: S608 # our own names
_REMOVED = """
SELECT person FROM access.removed_people
WHERE person = ANY(%s) AND returned_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that somebody was given, until an instant or until it is withdrawn."""

    grant_id: str
    role: Scope
    limits: Limits = EVERYTHING
    until: datetime | None = None


Grants = Sequence[Grant]
"""The grants that somebody has at an instant."""


def limits_of(grants: Grants, *roles: Scope) -> Within:
    """Return the limits within which these grants give one of the roles."""
    found = dict.fromkeys(grant.limits for grant in grants if grant.role in roles)
    return None if EVERYTHING in found else tuple(found)


def roles_of(grants: Grants) -> tuple[Scope, ...]:
    """Return the roles that these grants give for some records, each once."""
    return tuple(dict.fromkeys(grant.role for grant in grants))


def roles_at(grants: Grants, place: Place) -> tuple[Scope, ...]:
    """Return the roles that these grants give for a record at this place."""
    return roles_of([each for each in grants if covered((each.limits,), place)])


def grants_of(cursor: Cursors, person: str, now: datetime) -> Sequence[Grant]:
    """Return the grants that a person has at an instant, by id."""
    rows = cursor.execute(_IN_FORCE, {"person": person, "now": now}).fetchall()
    return tuple(
        Grant(grant_id, role, limits_from(*limits), until)
        for grant_id, role, *limits, until in rows
    )


def rights_of(
    cursor: Cursors, person: str, now: datetime
) -> Sequence[tuple[Scope, Limits]]:
    """Return the roles that a person has at an instant, by grants and by tokens."""
    granted = [(each.role, each.limits) for each in grants_of(cursor, person, now)]
    tokens = cursor.execute(_OF_TOKENS, (person, now)).fetchall()
    return granted + [
        (scope, limits_from(*names)) for scopes, *names in tokens for scope in scopes
    ]


def is_removed(cursor: Cursors, person: str) -> bool:
    """Return whether a person was removed: their links and feeds end, too."""
    return person in removed_among(cursor, [person])


def removed_among(cursor: Cursors, people: Sequence[str]) -> frozenset[str]:
    """Return those of these people who were removed."""
    rows = cursor.execute(_REMOVED, (list(people),)).fetchall()
    return frozenset(person for (person,) in rows)
