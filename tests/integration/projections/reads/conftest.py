"""What the log of reads holds, read as its owner: nobody else may."""

from collections.abc import Callable
from typing import NamedTuple

import psycopg
import pytest

from tests.support.servers.servers import Database


class Window(NamedTuple):
    """A row of reads of one record in one quarter of an hour."""

    record: str
    served: list[str]


class Made(NamedTuple):
    """A request that is recorded each time."""

    served: str
    address: str | None
    records: int
    reason: str | None


Windows = Callable[[str], list[Window]]
Requests = Callable[[str], list[Made]]


def windows_of(database: Database, reader: str) -> list[Window]:
    """Return what somebody read, by record."""
    query = "SELECT record, served FROM reads.windows WHERE reader = %s ORDER BY record"
    with psycopg.connect(database.owner_dsn) as owner:
        return [Window(*row) for row in owner.execute(query, (reader,))]


def requests_of(database: Database, reader: str) -> list[Made]:
    """Return the requests of somebody, in order."""
    query = (
        "SELECT served, address, records, reason FROM reads.requests "
        "WHERE reader = %s ORDER BY request_id"
    )
    with psycopg.connect(database.owner_dsn) as owner:
        return [Made(*row) for row in owner.execute(query, (reader,))]


@pytest.fixture
def windows(shared_database: Database) -> Windows:
    return lambda reader: windows_of(shared_database, reader)


@pytest.fixture
def requests(shared_database: Database) -> Requests:
    return lambda reader: requests_of(shared_database, reader)
