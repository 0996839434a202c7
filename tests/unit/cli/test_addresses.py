"""Which database a command uses, and with which login."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from cli.shell.desk import DeskAddress
from standalone.folder import Run, write_run

ADMIN = "postgresql://desk_admin:x@db/desk"
OWN = "postgresql://desk_projections:x@db/desk"


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (ADMIN, "-c search_path=pg_catalog,pg_temp"),
        (
            f"{ADMIN}?options=-c%20lock_timeout%3D1s",
            "-c lock_timeout=1s -c search_path=pg_catalog,pg_temp",
        ),
    ],
)
def test_an_administrator_finds_nothing_where_others_may_create(
    given: str, options: str
) -> None:
    url = DeskAddress(given).url()

    assert conninfo_to_dict(url) == {
        "user": "desk_admin",
        "password": "x",
        "host": "db",
        "dbname": "desk",
        "options": options,
    }


def test_what_is_no_address_is_said_where_it_is_used() -> None:
    assert DeskAddress("nonsense").url() == "nonsense"


@pytest.mark.parametrize(
    ("desk", "url"),
    [
        (DeskAddress(ADMIN, projections=OWN), OWN),
        (DeskAddress(OWN), OWN),
        (DeskAddress(ADMIN), ADMIN),
    ],
)
def test_what_is_built_is_built_at_the_address_that_is_named_for_it(
    desk: DeskAddress, url: str
) -> None:
    """Who builds refuses another role than the one that owns it."""
    assert desk.projections_url() == url


def test_a_desk_on_this_machine_has_the_address(tmp_path: Path) -> None:
    run = Run("", "", "", "", "", "", {}, ADMIN, projections_database_url=OWN)
    write_run(tmp_path, run)

    assert DeskAddress(home=tmp_path).projections_url() == OWN
