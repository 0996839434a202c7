"""The break-glass account: every right, for an emergency, and an alarm at each use."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.database.cursors import Cursors
from shared.security.rights import Grant
from shared.security.sessions import Lifetime

BREAK_GLASS = "break-glass"
"""In whose name a code signs in, unless it was made for somebody."""
DAYS = 365
"""How long a code can be used, unless somebody says otherwise."""
EVERY_RIGHT = (
    Grant("", "agent"),
    Grant("", "manager"),
    Grant("", "auditor"),
    Grant("", "admin"),
)
EMERGENCY = Lifetime(timedelta(hours=4), timedelta(hours=1))
"""How long a session by a code lasts."""
ALARMED_MAX = 50
_ALARMED = """
SELECT DISTINCT person FROM access.grants
WHERE role IN ('manager', 'admin') AND withdrawn_at IS NULL
  AND (until IS NULL OR until > %s)
ORDER BY person LIMIT %s
"""


def alarmed(cursor: Cursors, now: datetime) -> Sequence[str]:
    """Return the people who are told that a code was used: managers and admins."""
    rows = cursor.execute(_ALARMED, (now, ALARMED_MAX)).fetchall()
    return tuple(row[0] for row in rows)
