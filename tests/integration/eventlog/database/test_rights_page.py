"""The page of rights says what a migrated database grants."""

import pytest

from docs.generate.rights import PAGE, page
from shared.database.migrate import migrate
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


def test_the_page_of_rights_is_what_the_database_grants(database: Database) -> None:
    migrate(database.owner_dsn, {})  # rights on a database are not copied with it

    assert PAGE.read_text(encoding="utf-8") == page(database.owner_dsn), (
        "it is stale: run `make docs`"
    )
