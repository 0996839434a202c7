"""The table of when each user was last asked about an incident."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.database.cursors import Cursors

_KEEP = """
INSERT INTO intake.survey_invitations AS held (person, invited_at)
VALUES (%s, %s)
ON CONFLICT (person) DO UPDATE
SET invited_at = greatest(held.invited_at, excluded.invited_at)
"""
_KNOWN = """
SELECT person, invited_at FROM intake.survey_invitations WHERE person = ANY(%s)
"""


def keep(cursor: Cursors, asked: Mapping[str, datetime]) -> None:
    """Write when people were asked, in the order of their ids."""
    for person, at in sorted(asked.items()):
        cursor.execute(_KEEP, (person, at))


def asked_at(cursor: Cursors, people: Iterable[str]) -> dict[str, datetime]:
    """Return when each of these people was last asked, if ever."""
    return dict(cursor.execute(_KNOWN, (sorted(people),)).fetchall())
