"""The people directory on a real database: merged, counted, never deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import Cursor

from services.intake.directory.store import (
    Imported,
    Person,
    import_people,
    people,
    person,
)
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOW = datetime(2025, 7, 1, 6, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NADIA = {"id": "nadia", "name": "Nadia", "email": "nadia@desk.example", "client": "c"}
PAUL = {"id": "paul", "name": "Paul"}

Row = tuple[object, ...]


@pytest.fixture
def cursor(database: Database) -> Iterator[Cursor[Row]]:
    with psycopg.connect(database.dsn("desk_admin")) as connection:
        yield connection.cursor()


def test_people_are_added_and_found(cursor: Cursor[Row]) -> None:
    assert import_people(cursor, [PAUL, NADIA], NOW) == Imported(2, 0, 0)
    assert person(cursor, "nadia") == Person(
        "nadia", "Nadia", NOW, email="nadia@desk.example", client="c"
    )
    assert [each.id for each in people(cursor)] == ["nadia", "paul"]
    assert [each.id for each in people(cursor, client="c")] == ["nadia"]
    assert [each.id for each in people(cursor, limit=1)] == ["nadia"]
    assert person(cursor, "nobody") is None


def test_the_same_file_again_changes_nothing_not_even_the_instant(
    cursor: Cursor[Row],
) -> None:
    import_people(cursor, [PAUL, NADIA], NOW)
    assert import_people(cursor, [PAUL, NADIA], LATER) == Imported(0, 0, 2)
    assert [each.updated_at for each in people(cursor)] == [NOW, NOW]


def test_a_column_not_given_stays_and_an_empty_one_is_emptied(
    cursor: Cursor[Row],
) -> None:
    import_people(cursor, [NADIA], NOW)
    done = import_people(cursor, [{"id": "nadia", "name": "N", "client": None}], LATER)
    assert done == Imported(0, 1, 0)
    found = person(cursor, "nadia")
    assert found == Person("nadia", "N", LATER, email="nadia@desk.example")


def test_who_is_not_in_the_file_stays(cursor: Cursor[Row]) -> None:
    import_people(cursor, [NADIA, PAUL], NOW)
    import_people(cursor, [], LATER)
    assert len(people(cursor)) == 2


@pytest.mark.parametrize("role", ["desk_escalation", "desk_projections"])
def test_readers_read_and_do_not_write(database: Database, role: str) -> None:
    with psycopg.connect(database.dsn(role)) as connection:
        assert people(connection.cursor()) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            import_people(connection.cursor(), [PAUL], NOW)


@pytest.mark.parametrize("role", ["desk_sla_watcher", "desk_auditor"])
def test_who_needs_no_names_sees_none(database: Database, role: str) -> None:
    with (
        psycopg.connect(database.dsn(role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        people(connection.cursor())


@pytest.mark.parametrize("role", ["desk_intake", "desk_admin"])
def test_nobody_is_deleted(database: Database, role: str) -> None:
    with (
        psycopg.connect(database.dsn(role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("DELETE FROM directory.people")
