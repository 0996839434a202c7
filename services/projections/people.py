"""The rights of people and the people who were removed, read from intake's tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from shared.database.cursors import Cursors
from shared.domain.identifiers import person_stream
from shared.eventlog.recorder import versions

REVIEWED_MAX = 50_000
_RIGHTS = """
WITH used AS (
    SELECT actor, max(last_used) AS last_used FROM (
        SELECT tokens.actor, use.last_used
        FROM access.tokens JOIN access.token_use AS use USING (token_id)
        UNION ALL SELECT actor, last_used FROM access.sessions
    ) AS uses GROUP BY actor
), found AS (
    SELECT 'grant' AS kind, grant_id AS id, 'person:' || person AS actor,
           ARRAY[role] AS roles, clients, services, teams, given_by, given_at, until,
           withdrawn_at AS ended_at, used.last_used, '' AS note
    FROM access.grants LEFT JOIN used ON used.actor = 'person:' || person
    UNION ALL
    SELECT 'token', token_id, actor, scopes, clients, services, teams, given_by,
           created_at, expires_at,
           coalesce(revoked_at, removed_at), use.last_used, label
    FROM access.tokens LEFT JOIN access.token_use AS use USING (token_id)
    LEFT JOIN access.removed_people AS gone
      ON actor = 'person:' || gone.person AND gone.removal > after_removal
    UNION ALL
    SELECT 'session', session_id, actor,
           ARRAY(SELECT jsonb_array_elements(rights) ->> 'role'),
           NULL, NULL, NULL, NULL, created_at, expires_at,
           coalesce(revoked_at, removed_at), last_used, method
    FROM access.sessions LEFT JOIN access.removed_people AS gone
      ON actor = 'person:' || gone.person AND gone.removal > after_removal
    WHERE rights IS NOT NULL
)
SELECT * FROM found
WHERE (%(actor)s::text IS NULL OR actor = %(actor)s)
  AND (%(ended)s OR (ended_at IS NULL AND (until IS NULL OR until > %(now)s)))
ORDER BY actor, kind, given_at, id LIMIT %(limit)s
"""


class RightRow(NamedTuple):
    """A right, who gave it, and when it was last used."""

    kind: Literal["grant", "token", "session"]
    id: str
    actor: str
    roles: Sequence[str]
    clients: Sequence[str] | None
    services: Sequence[str] | None
    teams: Sequence[str] | None
    given_by: str | None
    given_at: datetime
    until: datetime | None
    ended_at: datetime | None
    last_used: datetime | None
    note: str


def rights(
    cursor: Cursors, now: datetime, *, person: str | None = None, ended: bool = False
) -> list[RightRow]:
    """Return the rights of one person or of everybody, perhaps with ended ones."""
    given = {
        "actor": None if person is None else f"person:{person}",
        "ended": ended,
        "now": now,
        "limit": REVIEWED_MAX,
    }
    return [RightRow(*row) for row in cursor.execute(_RIGHTS, given).fetchall()]


def rights_version(cursor: Cursors, person: str) -> int:
    """Return the version of a person's stream, 0 without events."""
    stream = person_stream(person)
    return versions(cursor, [stream])[stream]
