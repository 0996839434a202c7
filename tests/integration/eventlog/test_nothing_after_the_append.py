"""Under the append lock nothing is written but events: everybody else waits for it.

PostgreSQL itself refuses what a service would write beside the log after its append.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shared.domain.commands.incident import Acknowledge, Merge
from shared.domain.events.incident import IncidentAcknowledged
from shared.eventlog.recorder import APPEND_LOCK
from shared.process_manager.worker import WakeResult
from tests.integration.intake.commands.test_commands import done
from tests.integration.intake.conftest import hands_on, ruled
from tests.integration.intake.signals.test_receiving import DISK, DISK_OK, receive
from tests.integration.sla_watcher.test_commands import MORE, asks, reported
from tests.support.builders.promises import local
from tests.support.desks.escalating import helping_desk
from tests.support.desks.notifying import calling_desk
from tests.support.desks.watching import SlaDesk, happened, opened, sla_desk
from tests.support.faults.append_lock import HELD, refuse_writes_under_append_lock
from tests.support.folders import reachable_folder
from tests.support.patience import until
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

__all__ = ["ruled"]

WAITING = """
SELECT FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


@pytest.fixture
def desk(database: Database) -> Iterator[SlaDesk]:
    with sla_desk(database, "09:00") as desk:
        refuse_writes_under_append_lock(database)
        yield desk


def test_the_watch_is_itself_watched(desk: SlaDesk) -> None:
    """Else the tests below would find nothing, whatever there is."""
    with desk.log.transaction() as cursor:
        cursor.execute(APPEND_LOCK)
        with pytest.raises(psycopg.errors.RaiseException, match="append lock"):
            cursor.execute("UPDATE sla.cases SET next_at = NULL")


def test_what_was_read_and_what_was_due(desk: SlaDesk) -> None:
    desk.happens(*(opened(n, desk.now) for n in range(1, 6)))
    desk.walk(local("09:31"))

    assert desk.types(5) == ["tto armed", "ttr armed", "tto warned", "tto breached"]


def test_a_case_that_is_behind_is_left_for_later_and_holds_up_no_other(
    desk: SlaDesk,
) -> None:
    desk.happens(*(opened(n, desk.now) for n in (1, 2, 3)))
    desk.walk(local("09:29"))
    desk.happens(happened(IncidentAcknowledged, 2, desk.now))
    desk.now = local("09:31")

    assert desk.worker.wake() == WakeResult(due=3, behind=1)

    assert [desk.types(n)[-1] for n in (1, 2, 3)] == [
        "tto breached",
        "tto warned",
        "tto breached",
    ]
    assert desk.worker.fired_total == 2 + 3
    desk.read()
    assert desk.types(2)[-1] == "tto met"


def test_a_command(desk: SlaDesk) -> None:
    reported(desk)
    desk.read()

    assert asks(desk, MORE).outcome == "recorded"


def test_a_blocked_case_keeps_nobody_from_appending(desk: SlaDesk) -> None:
    """Another session holds the row the watcher is about to make."""
    desk.happens(opened(1, desk.now))
    insert = "INSERT INTO sla.cases VALUES ('INC-000001', NULL, '{}', '{}')"
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(desk.database.owner_dsn) as other,
    ):
        other.execute(insert)
        reading = pool.submit(desk.read)
        until(lambda: reading.done() or bool(desk.ask(WAITING)), "the watcher waits")
        assert not reading.done(), "the watcher did not wait for the row"
        held = desk.ask(HELD)
        other.rollback()
        reading.result()

    assert held == []
    assert desk.types(1) == ["tto armed", "ttr armed"]


def test_escalation(database: Database) -> None:
    with helping_desk(database, "09:00") as desk:
        refuse_writes_under_append_lock(database)
        desk.sla.happens(*(opened(n, desk.sla.now) for n in (1, 2)))
        desk.walk(local("15:01"))
        desk.sla.now = local("16:00")
        desk.worker.wake()

        said = desk.sla.ask("SELECT DISTINCT type FROM log.readable")

    assert ("handover.requested",) in said
    assert ("notification.requested",) in said


def test_signals_and_commands(ruled: Database) -> None:
    refuse_writes_under_append_lock(ruled)
    hands = hands_on(ruled)
    receive(hands, DISK)
    (second,) = receive(hands, DISK.model_copy(update={"dedup_key": "web-2"}))
    assert second.incident
    done(hands, Acknowledge())
    done(hands, Merge(into="INC-000001"), second.incident)
    (recovered,) = receive(hands, DISK_OK)

    assert recovered.status == "recovered"


def test_a_whole_desk_that_tells_people() -> None:
    with reachable_folder() as folder, calling_desk(folder) as desk:
        refuse_writes_under_append_lock(desk.desk.database)
        incident = desk.open()
        desk.desk.move_to(local("09:45"))
        desk.until_said(incident, "notification.confirmed")
        desk.until_quiet()

        output = [desk.desk.output(name) for name in desk.desk.services]

    assert all("under the append lock" not in text for text in output)
