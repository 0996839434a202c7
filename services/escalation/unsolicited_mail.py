"""How much is mailed to an address that nobody is known to have written from.

Anybody can give it, by mail or in the form, as often as they like: without a limit the
desk would write to its owner as often. It is counted in the database, so that neither a
restart nor another process begins again.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from psycopg import Cursor

from services.escalation.channels.outcome import Failed

A_DAY_MAX = 3
A_DAY = timedelta(days=1)
TOO_MANY = Failed(
    f"its reader has had {A_DAY_MAX} mails within a day about what nothing proves they "
    "wrote: a person at the desk can tell them more",
    permanent=True,
    withheld=True,
)

_ALONE = "LOCK TABLE escalation.unsolicited_mail IN SHARE ROW EXCLUSIVE MODE"
_FORGET = "DELETE FROM escalation.unsolicited_mail WHERE sent_at <= %s"
_COUNT = """
SELECT count(*) FROM escalation.unsolicited_mail WHERE address = %s AND key <> %s
"""
_KEEP = """
INSERT INTO escalation.unsolicited_mail (key, address, sent_at) VALUES (%s, %s, %s)
ON CONFLICT (key) DO NOTHING
"""


def may_leave(cursor: Cursor[Any], key: str, address: str, at: datetime) -> bool:
    """Count a mail to an address, as of `at`; tell whether it is not one too many.

    What leaves again under the same key counts once.
    """
    whose = _digest(address)
    cursor.execute(_ALONE)
    cursor.execute(_FORGET, (at - A_DAY,))
    row = cursor.execute(_COUNT, (whose, key)).fetchone()
    if row is None or row[0] >= A_DAY_MAX:
        return False
    cursor.execute(_KEEP, (key, whose, at))
    return True


def _digest(address: str) -> str:
    """Return what tells mailboxes apart: `zoe+a@…` and `zoe+b@…` are the same one."""
    local, _, domain = address.lower().rpartition("@")
    return sha256(f"{local.partition('+')[0]}@{domain}".encode()).hexdigest()
