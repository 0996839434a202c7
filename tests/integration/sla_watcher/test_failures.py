"""What fails about one incident holds up no other; what is away comes back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from services.sla_watcher.app import BOOKMARK, casework
from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.decider import decide
from shared.database import connections
from shared.domain.events import SlaEvent
from shared.eventlog.append import AppendUnit
from shared.eventlog.errors import Unavailable
from shared.eventlog.readers.reader import Reader
from shared.messaging.live_feed import Deliveries
from shared.process_manager import Alarm
from shared.process_manager.worker import CLAIMED_MAX, STUCK
from tests.support.builders.promises import FILE, local
from tests.support.builders.short_events import note
from tests.support.desks.watching import SlaDesk, Watcher, opened, sla_desk
from tests.support.folders import reachable_folder
from tests.support.patience import eventually
from tests.support.servers.servers import Database, running_postgres

pytestmark = pytest.mark.servers

_BREACHED = "SELECT count(*) FROM log.events WHERE topic = 'sla.breached'"
WARNED = ["tto armed", "ttr armed", "tto warned"]


def troubled(desk: SlaDesk) -> Watcher:
    """Return a watcher whose rules fail for the second incident once it is warned."""

    def rules(
        case: Case, to: datetime, at: datetime, policies: PolicyOf
    ) -> Sequence[SlaEvent]:
        if case.incident == "INC-000002" and at >= local("09:20"):
            raise ValueError("a mistake of ours")
        return decide(case, to, at, policies)

    return desk.another(replace(casework(desk.log), decide=rules))


def test_a_rule_that_fails_for_one_incident_holds_up_no_other(desk: SlaDesk) -> None:
    desk.happens(*(opened(n, desk.now) for n in range(1, 6)))
    desk.read()
    healthy, desk.worker = desk.worker, troubled(desk)
    desk.now = local("09:23")

    assert desk.wake() == 5

    assert desk.worker.stuck_total == 1
    assert [desk.types(n) == WARNED for n in range(1, 6)] == [
        True,
        False,
        True,
        True,
        True,
    ]
    desk.now += STUCK
    desk.worker = healthy
    assert desk.wake() == 1
    assert desk.types(2) == WARNED


def test_a_rule_that_never_ends_stops_its_own_incident_only(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now), opened(2, desk.now))
    desk.read()
    desk.now = local("09:23")

    def again(
        case: Case, to: datetime, at: datetime, policies: PolicyOf
    ) -> Sequence[SlaEvent]:
        if case.incident == "INC-000001":
            case = replace(case, clocks=())  # it forgets what it said
        return decide(case, to, at, policies)

    desk.worker = desk.another(replace(casework(desk.log), decide=again))

    assert desk.wake() == 2
    assert desk.types(1) == WARNED[:2]
    assert desk.types(2) == WARNED


def test_a_case_that_stays_due_without_a_decision_is_not_asked_for_ever(
    desk: SlaDesk,
) -> None:
    desk.happens(opened(1, desk.now), opened(2, desk.now))
    desk.read()
    desk.now = local("09:23")
    dumb = replace(
        casework(desk.log),
        decide=lambda case, to, at, policies: (
            [] if case.incident == "INC-000001" else decide(case, to, at, policies)
        ),
    )
    desk.worker = desk.another(dumb)

    assert desk.wake() == 2
    assert desk.worker.stuck_total == 1
    assert desk.types(2) == WARNED


def test_more_decisions_than_fit_into_a_transaction_are_said_in_several(
    database: Database,
) -> None:
    text = FILE.read_text(encoding="utf-8")
    often = text.replace("warn:   [75%]", "warn:   [25%, 50%, 75%, 90%]")
    with sla_desk(database, "09:00", often) as desk:
        desk.happens(*(opened(n, desk.now) for n in range(1, CLAIMED_MAX + 1)))
        desk.read()
        desk.now = local("17:00")

        assert desk.wake() == CLAIMED_MAX

        assert desk.worker.stuck_total == 0
        assert [len(desk.types(n)) for n in (1, CLAIMED_MAX)] == [12, 12]


def test_poison_stops_the_promises_of_its_incident_only(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now), opened(2, desk.now))
    with desk.intake.transaction() as cursor:  # of a type that nobody can read
        poison = AppendUnit((note("incident-INC-000001", 2),))
        desk.intake.append(cursor, [poison])

    async def scenario() -> None:
        stop = asyncio.Event()
        worker = desk.another()
        alarm = Alarm(worker, desk.clock)
        reader = Reader(desk.log, BOOKMARK, worker.apply, Deliveries(None))
        tasks = [asyncio.create_task(each.run(stop)) for each in (reader, alarm)]
        await eventually(lambda: len(desk.types(2)) == 2)
        desk.now = local("09:31")
        await eventually(lambda: "tto breached" in desk.types(2))
        stop.set()
        await asyncio.gather(*tasks)
        assert reader.status.tracked.parked_streams == 1

    asyncio.run(scenario())

    desk.wake()  # the alarm may have been stopped before it came to the other one
    assert desk.types(1) == WARNED[:2]
    assert desk.wake() == 0  # nor does it keep the timers busy


def test_timers_go_on_when_postgresql_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 5)  # it is waited for in vain
    with (
        reachable_folder() as folder,
        running_postgres(folder, durable=False) as postgres,
        sla_desk(postgres.fresh_database(), "09:00") as desk,
    ):
        desk.happens(opened(1, desk.now))
        desk.read()

        async def scenario() -> None:
            stop = asyncio.Event()
            alarmed = desk.another()
            alarm = Alarm(alarmed, desk.clock)
            running = asyncio.create_task(alarm.run(stop))
            await asyncio.to_thread(postgres.kill)
            desk.now = local("09:31")
            with pytest.raises(Unavailable):
                await asyncio.to_thread(desk.worker.wake)
            await asyncio.to_thread(lambda: postgres.start().wait())
            await eventually(lambda: desk.ask(_BREACHED) == [(1,)])
            stop.set()
            await running
            assert alarmed.fired_total == 1

        asyncio.run(scenario())
