"""Names as a mail about being on call has them, in one line."""

from collections.abc import Iterable

from shared.database.cursors import Cursors
from shared.directory import names
from shared.domain.policy.schedules import Role

LISTED_MAX = 40
"""The maximum number of lines of one kind in a mail."""


def names_of(cursor: Cursors, people: Iterable[str]) -> str:
    """Return the names of people; the id of those who are not in the directory."""
    ids = list(people)
    known = names(cursor, ids)
    return ", ".join(known.get(each, each) for each in ids)


def shown(role: Role) -> str:
    """Return a role, unless it is the usual one."""
    return "" if role == "primary" else role
