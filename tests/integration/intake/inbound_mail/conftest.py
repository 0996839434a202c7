"""A desk in the process of the test, and a mail server that it reads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from shared.eventlog.log import EventLog
from shared.security.access import create
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.desks.mail import LetterDoors
from tests.support.mail.imap_server import ImapServer, running_imap
from tests.support.servers.servers import Database


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    """Give a mail server."""
    with running_imap() as server:
        yield server


@pytest.fixture
def desk(ruled: Database) -> Iterator[LetterDoors]:
    """Give intake on a desk with the starter policy."""
    dsn = ruled.dsn("desk_intake")
    with (
        closing(EventLog.open(ruled.owner_dsn)) as owner,
        closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log,
        ThreadPoolExecutor(4) as executor,
    ):
        with owner.transaction() as cursor:
            token = create(cursor, NOW, "person:nadia", ["agent"]).token
        yield LetterDoors(log, owner, executor, token, NOW)
