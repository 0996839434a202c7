"""While the log has gone back nothing is handed over, and nothing skipped."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
import pytest

from services.escalation.notifications.dispatcher import NotificationSender
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recorder import DeliveryRecorder, Step
from shared.eventlog.continuity.evidence import FIRST, Evidence, Mark
from shared.eventlog.errors import NotContinued
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_commands import ParkedRequests
from shared.eventlog.readers.position import Bookmark
from tests.support.desks.leadership import Unfenced
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
LATER = Mark(7, bytes(32))
"""An event that this log does not hold."""
AGAIN = Waiting(
    key="INC-000001/1",
    position=1,
    incident="INC-000001",
    policy=1,
    kind="page",
    channel="webhook",
    person="",
    cause_stream="incident-INC-000001",
    cause_version=1,
    requested_at=NOW,
    sent=True,
    attempts=1,
)


@dataclass
class Outlets:
    """Lets everything out, and counts it."""

    sent: int = 0

    def refusal(self, _: object) -> None:
        """Let it out."""

    async def send(self, *_: object) -> None:
        """Count it."""
        self.sent += 1


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    """Give a log of which more was seen than it holds."""
    with closing(EventLog.open(database.dsn("desk_escalation"))) as log:
        log.continuity.expect(Evidence(LATER, FIRST, "NATS"))
        yield log


def test_what_is_tried_again_stays(log: EventLog) -> None:
    """The lease in an older copy may be ours, and an attempt appends nothing."""
    outlets = Outlets()
    recorder = DeliveryRecorder(
        log, cast(Any, None), lambda: NOW, cast(Any, outlets), cast(Any, None)
    )

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as executor:
            postman = NotificationSender(
                log,
                recorder,
                lambda: NOW,
                cast(Any, lambda _: ["a parcel"]),
                cast(Any, outlets),
                executor,
            )
            with suppress(TimeoutError):
                async with postman.recording(), asyncio.timeout(1):
                    await postman.deliver(AGAIN, Unfenced())

    (answer,) = recorder.record([Step(AGAIN, Unfenced())])
    asyncio.run(scenario())

    assert isinstance(answer, NotContinued)
    assert outlets.sent == 0


def test_a_request_of_an_older_copy_waits(database: Database, log: EventLog) -> None:
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute(
            "INSERT INTO escalation.parked_requests"
            " (reader, stream, action, requested_by, reason)"
            " VALUES ('escalation', 'incident-INC-000001', 'skip', 'root', 'known')"
        )
    with pytest.raises(NotContinued), log.transaction() as cursor:
        log.look(cursor)
    bookmark = Bookmark("escalation", "escalation")
    requests = ParkedRequests(log, bookmark, lambda *_: None, lambda *_: None)

    with pytest.raises(NotContinued):
        requests.answer_all()
