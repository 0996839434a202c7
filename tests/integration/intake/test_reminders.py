"""Who asked to be reminded is reminded once, whatever is killed: on real servers."""

import asyncio
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import pytest

from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.composer import Composer
from services.escalation.notifications.contacts import GONE
from services.escalation.notifications.outbox import Waiting
from shared.domain.commands.incident import Cancel, Remind, Unremind
from shared.domain.events import IncidentReminded, IncidentReminderCleared
from shared.domain.identifiers import incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from tests.integration.intake.commands.test_commands import INC, done
from tests.integration.intake.conftest import MASTER, NOW, Hands, hands_on
from tests.integration.intake.signals.test_receiving import DISK, receive
from tests.integration.intake.test_auto_close import Watch, at_work, tracked
from tests.support.builders.people_log import given, record, removed
from tests.support.patience import eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

HOUR = timedelta(hours=1)
DUE = NOW + HOUR
CLEARED = "incident.reminder_cleared"
_NADIA = """
INSERT INTO directory.people (id, name, email, updated_at, confirmed)
VALUES ('nadia', 'Nadia', 'nadia@desk.example', now(), true)
ON CONFLICT (id) DO UPDATE SET email = excluded.email
"""
REMIND = Remind(at=DUE, note="call the vendor")


def _waiting(log: EventLog) -> dict[str, datetime]:
    with log.transaction() as cursor:
        return dict(
            cursor.execute("SELECT person, due_at FROM intake.reminders").fetchall()
        )


def _instants(log: EventLog) -> list[datetime]:
    query = "SELECT due_at FROM intake.reminders ORDER BY due_at"
    with log.transaction() as cursor:
        return [due_at for (due_at,) in cursor.execute(query).fetchall()]


def _happened(hands: Hands) -> list[str]:
    kinds = (IncidentReminded, IncidentReminderCleared)
    history = hands.log.history(incident_stream(INC))
    return [e.type for e in history if isinstance(e.event, kinds)]


def test_two_processes_remind_once_and_a_restart_does_not_repeat_it(
    ruled: Database,
) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        receive(hands, DISK)
        done(hands, REMIND)
        done(hands, Remind(at=DUE, note="look for the part"))
        done(hands, Remind(at=DUE + HOUR))
        done(hands, Unremind(number=3))
        async with at_work(hands, watch, processes=2):
            await eventually(lambda: _instants(hands.log) == [DUE, DUE])
            assert _happened(hands) == [CLEARED]
            watch.now = DUE
            await eventually(lambda: _waiting(hands.log) == {})
        assert _happened(hands) == [CLEARED, "incident.reminded", "incident.reminded"]
        with psycopg.connect(ruled.owner_dsn) as owner:
            owner.execute("TRUNCATE intake.reminders, intake.silences, intake.tracking")
        async with at_work(hands, watch):
            head = hands.log.head().position
            await eventually(lambda: tracked(hands.log) == head)
            await eventually(lambda: _waiting(hands.log) == {})
        assert _happened(hands) == [CLEARED, "incident.reminded", "incident.reminded"]

    asyncio.run(story())


@pytest.mark.parametrize("returns", [False, True])
def test_the_reminder_of_somebody_who_was_removed_ends_at_once(
    ruled: Database, returns: bool
) -> None:
    """Even if they have returned before anybody looks."""

    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        receive(hands, DISK)
        done(hands, REMIND)
        done(hands, REMIND, actor="person:wim")
        with closing(EventLog.open(ruled.owner_dsn, clock=lambda: NOW)) as owner:
            record(owner, "wim", removed("wim"))
            if returns:
                record(owner, "wim", given("wim", 2, "agent"))
                done(hands, REMIND, actor="person:root")
        async with at_work(hands, watch):
            await eventually(lambda: _happened(hands) != [])
            left = {"nadia", "root"} if returns else {"nadia"}
            await eventually(lambda: set(_waiting(hands.log)) == left)
        assert _happened(hands) == ["incident.reminder_cleared"]

    asyncio.run(story())


def test_a_reminder_that_waits_to_be_mailed_is_not_sent_to_somebody_who_left(
    ruled: Database,
) -> None:
    async def reminded() -> Entry:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        receive(hands, DISK)
        done(hands, REMIND)
        watch.now = DUE
        async with at_work(hands, watch):
            await eventually(lambda: _happened(hands) != [])
        *_, last = hands.log.history(incident_stream(INC))
        return last

    waiting = _mail_about(asyncio.run(reminded()), "nadia")
    with (
        closing(EventLog.open(ruled.dsn("desk_escalation"), master=MASTER)) as log,
        closing(EventLog.open(ruled.owner_dsn, clock=lambda: NOW)) as owner,
    ):
        with owner.transaction() as cursor:
            cursor.execute(_NADIA)
        compose = Composer(log, PolicyVersions(log), None)
        (before,) = compose([waiting])
        record(owner, "nadia", removed("nadia"))
        after, page = compose([waiting, replace(waiting, kind="page")])

    assert isinstance(before, ByMail)
    assert after == Failed(GONE, permanent=True, withheld=True)
    assert page == Failed(GONE, permanent=True)


def _mail_about(cause: Entry, person: str) -> Waiting:
    return Waiting(
        key="a-reminder",
        position=cause.position,
        incident=INC,
        policy=1,
        kind="reminder",
        channel="mail",
        person=person,
        cause_stream=incident_stream(INC),
        cause_version=cause.version,
        requested_at=NOW,
        sent=False,
        attempts=0,
    )


def test_nobody_is_reminded_of_what_they_cleared_or_what_has_ended(
    ruled: Database,
) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        receive(hands, DISK)
        done(hands, REMIND)
        done(hands, Unremind())
        done(hands, Remind(at=DUE), actor="person:wim")
        done(hands, Cancel(reason="test"))
        watch.now = DUE
        async with at_work(hands, watch):
            await eventually(lambda: len(_happened(hands)) == 2)
            await eventually(lambda: _waiting(hands.log) == {})
        assert _happened(hands) == ["incident.reminder_cleared"] * 2

    asyncio.run(story())
