"""The values of contact methods in the directory: SQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from shared.database.cursors import Cursors
from shared.domain.events.contact_method import DIRECTORY_MAIL

_COLUMNS = "person, method, kind, value, added_at, verified_at"
_OF = f"""
SELECT {_COLUMNS} FROM directory.contact_methods WHERE person = ANY(%s)
ORDER BY person, added_at, method
"""  # noqa: S608 # our own names
_ADDRESSES = """
SELECT id, email FROM directory.people WHERE id = ANY(%s) AND email IS NOT NULL
"""
_PEOPLE_AT = f"""
SELECT person FROM directory.contact_methods
WHERE kind = 'mail' AND method <> '{DIRECTORY_MAIL}'
  AND lower(value) = lower(%s) AND verified_at IS NOT NULL
ORDER BY person LIMIT %s
"""  # noqa: S608 # our own names
_PEOPLE_MAX = 20
"""People who may share an address."""
_PUT = """
INSERT INTO directory.contact_methods (person, method, kind, value, added_at)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (person, method) DO UPDATE SET
    kind = excluded.kind, value = excluded.value, added_at = excluded.added_at,
    verified_at = NULL
"""
_VERIFY = """
UPDATE directory.contact_methods SET verified_at = %s WHERE person = %s AND method = %s
"""
_DELETE = "DELETE FROM directory.contact_methods WHERE person = %s AND method = %s"
_DELETE_ALL = "DELETE FROM directory.contact_methods WHERE person = %s"
_DELETE_CODES = "DELETE FROM directory.contact_codes WHERE person = %s"
_CHANNELS = "SELECT kind FROM directory.channels"
_PUSH_KEY = "SELECT public_key FROM directory.channels WHERE kind = 'web_push'"
_DROP_CHANNELS = """
DELETE FROM directory.channels WHERE kind <> ALL(%s)
   OR public_key <> CASE kind WHEN 'web_push' THEN %s ELSE '' END
"""
_ADD_CHANNELS = """
INSERT INTO directory.channels (kind, public_key)
SELECT kind, CASE kind WHEN 'web_push' THEN %s ELSE '' END
FROM unnest(%s::text[]) AS open (kind) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class ContactValue:
    """The value of a contact method; `verified_at` is None until a code proved it.

    Of the address in the directory it is the address that was verified: if the person
    has another one now, `values_of` returns that one, not verified.
    """

    person: str
    method: str
    kind: str
    value: str
    added_at: datetime | None
    verified_at: datetime | None
    is_changed: bool = False
    """Whether it is not what its person's events say: nothing is sent there."""


def values_of(
    cursor: Cursors, people: Sequence[str]
) -> Mapping[str, Mapping[str, ContactValue]]:
    """Return the values of the methods of people, by person and method.

    The address in the directory is the first, if there is one.
    """
    asked = sorted(set(people))
    found: dict[str, dict[str, ContactValue]] = {person: {} for person in asked}
    for person, address in cursor.execute(_ADDRESSES, (asked,)).fetchall():
        found[person][DIRECTORY_MAIL] = ContactValue(
            person, DIRECTORY_MAIL, "mail", address, None, None
        )
    with cursor.connection.cursor(row_factory=class_row(ContactValue)) as rows:
        for each in rows.execute(_OF, (asked,)):
            known = found[each.person].get(each.method)
            if each.method != DIRECTORY_MAIL or (known and known.value == each.value):
                found[each.person][each.method] = each
    return found


def value_of(cursor: Cursors, person: str, method: str) -> ContactValue | None:
    """Return the value of a method, None if it was removed or forgotten."""
    return values_of(cursor, [person])[person].get(method)


def people_at(cursor: Cursors, address: str) -> Sequence[str]:
    """Return the people who verified a mail method of their own with this address."""
    found = cursor.execute(_PEOPLE_AT, (address, _PEOPLE_MAX)).fetchall()
    return [person for (person,) in found]


def put_value(
    cursor: Cursors, person: str, method: str, kind: str, value: str, at: datetime
) -> None:
    """Write the value of a method; it is not verified."""
    cursor.execute(_PUT, (person, method, kind, value, at))


def verify_value(cursor: Cursors, person: str, method: str, at: datetime) -> None:
    """Write that a code proved that the value reaches the person."""
    cursor.execute(_VERIFY, (at, person, method))


def delete_value(cursor: Cursors, person: str, method: str) -> None:
    """Delete the value of a method."""
    cursor.execute(_DELETE, (person, method))


def delete_values_of(cursor: Cursors, person: str) -> None:
    """Delete all that is known of how to reach a person, except their entry."""
    cursor.execute(_DELETE_ALL, (person,))
    cursor.execute(_DELETE_CODES, (person,))


def channels(cursor: Cursors) -> frozenset[str]:
    """Return the channels that escalation can send over, as of its last start."""
    return frozenset(row[0] for row in cursor.execute(_CHANNELS))


def push_key(cursor: Cursors) -> str | None:
    """Return the public key with which browsers subscribe; None without web push."""
    row = cursor.execute(_PUSH_KEY).fetchone()
    return row[0] or None if row else None


def publish_channels(
    cursor: Cursors, kinds: Iterable[str], web_push_key: str = ""
) -> None:
    """Write which channels escalation can send over, and its key for web push."""
    open_ = sorted(kinds)
    cursor.execute(_DROP_CHANNELS, (open_, web_push_key))
    cursor.execute(_ADD_CHANNELS, (web_push_key, open_))
