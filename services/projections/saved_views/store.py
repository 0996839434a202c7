"""Reads and writes saved views."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from services.projections.saved_views.rules import SavedView
from shared.database.cursors import Cursors

_NAMES = tuple(field.name for field in fields(SavedView))
_COLUMNS = ", ".join(_NAMES)
_SEEN = f"""
SELECT {_COLUMNS} FROM desk.views
WHERE owner = %(person)s OR audience = 'everybody'
   OR (audience = 'team' AND (team = ANY(%(teams)s) OR %(manages)s))
ORDER BY audience = 'private' DESC, lower(name), view_id LIMIT %(most)s
"""  # noqa: S608 # our own names
_ONE = f"SELECT {_COLUMNS} FROM desk.views WHERE view_id = %s"  # noqa: S608 # our own names
_LOCK = f"{_ONE} FOR UPDATE"
_BY_NAME = f"""
SELECT {_COLUMNS} FROM desk.views WHERE owner = %s AND lower(name) = lower(%s)
"""  # noqa: S608 # our own names
_COUNT = "SELECT count(*) FROM desk.views WHERE owner = %s"
_INSERT = f"""
INSERT INTO desk.views ({_COLUMNS})
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""  # noqa: S608 # our own names
_UPDATE = """
UPDATE desk.views SET name = %s, audience = %s, team = %s, queue = %s, filter = %s,
    sort = %s, columns = %s, version = %s, updated_at = %s
WHERE view_id = %s
"""
_DELETE = "DELETE FROM desk.views WHERE view_id = %s"
SHOWN_MAX = 500
"""The maximum number of views that a list shows."""


def seen(
    cursor: Cursors, person: str, teams: Sequence[str], *, manages: bool
) -> list[SavedView]:
    """Return the views that a person sees, private ones first."""
    asked = {
        "person": person,
        "teams": list(teams),
        "manages": manages,
        "most": SHOWN_MAX,
    }
    return [_view(row) for row in cursor.execute(_SEEN, asked)]


def one(cursor: Cursors, view_id: str, *, lock: bool = False) -> SavedView | None:
    """Return a view, None if unknown; `lock` it until the transaction ends."""
    row = cursor.execute(_LOCK if lock else _ONE, (view_id,)).fetchone()
    return _view(row) if row else None


def by_name(cursor: Cursors, person: str, name: str) -> SavedView | None:
    """Return the view that a person gave this name."""
    row = cursor.execute(_BY_NAME, (person, name)).fetchone()
    return _view(row) if row else None


def count(cursor: Cursors, person: str) -> int:
    """Return how many views a person has."""
    row = cursor.execute(_COUNT, (person,)).fetchone()
    return int(row[0]) if row else 0


def insert(cursor: Cursors, view: SavedView) -> bool:
    """Insert a view; False if its owner has one with this name."""
    columns = [getattr(view, name) for name in _NAMES]
    columns[_NAMES.index("columns")] = list(view.columns)
    return cursor.execute(_INSERT, columns).rowcount == 1


def update(cursor: Cursors, view: SavedView) -> None:
    """Store a changed view. Raises `UniqueViolation` for a name its owner has."""
    columns = (
        view.name,
        view.audience,
        view.team,
        view.queue,
        view.filter,
        view.sort,
        list(view.columns),
        view.version,
        view.updated_at,
        view.view_id,
    )
    cursor.execute(_UPDATE, columns)


def delete(cursor: Cursors, view_id: str) -> None:
    """Delete a view."""
    cursor.execute(_DELETE, (view_id,))


def _view(row: Sequence[Any]) -> SavedView:
    values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    return SavedView(**values | {"columns": tuple(values["columns"])})
