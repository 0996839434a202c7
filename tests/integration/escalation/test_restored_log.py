"""Nothing leaves for a log that went back, and it is told of once."""

import asyncio
from contextlib import closing
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from services.escalation.notifications import dispatcher as notifications_dispatcher
from services.escalation.notifications.dispatcher import (
    LEASE,
    Dispatcher,
    NotificationSender,
)
from services.escalation.notifications.recorder import DeliveryRecorder
from shared.clock import real_clock
from shared.database.leadership import Candidate
from shared.eventlog.log import EventLog
from tests.support.desks.follower import Desk
from tests.support.faults.restore import count_looks, go_back
from tests.support.patience import eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers
TRIES = 5


def test_a_log_that_went_back_is_told_of_once_and_nobody_leads(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications_dispatcher, "RETRY_SECONDS", 0.01)
    looks = count_looks(monkeypatch)
    dsn = database.dsn("desk_escalation")

    async def scenario(log: EventLog) -> list[str]:
        none = cast(Any, None)  # nothing is to leave
        recorder = DeliveryRecorder(log, none, real_clock, none, none)
        nobody = NotificationSender(log, recorder, real_clock, none, none, none)
        candidate = Candidate(dsn, LEASE)
        dispatcher = Dispatcher(log, candidate, nobody, real_clock)
        stop = asyncio.Event()
        running = asyncio.create_task(dispatcher.run(stop))
        await eventually(lambda: len(looks) > 1 and dispatcher.leads)
        with capture_logs() as lines:
            go_back(database, 1)
            await eventually(
                lambda: any(one["event"] == "outbox.away" for one in lines)
            )
            before = len(looks)
            await eventually(lambda: len(looks) >= before + TRIES)
        assert not dispatcher.leads
        stop.set()
        await running
        told = [str(one["event"]) for one in lines]
        return [each for each in told if each == "outbox.away"]

    with closing(Desk(database)) as desk, closing(EventLog.open(dsn)) as log:
        desk.happen(1, 2)
        assert asyncio.run(scenario(log)) == ["outbox.away"]
