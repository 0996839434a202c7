"""Metrics rebuilt from the log say what those that followed it say."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from services.projections.read_models import METRICS
from tests.support.builders.june_log import HOUR, ONE, REOPENED, June, june, promise
from tests.support.builders.written_histories import digest_of, followed, rebuilt
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

_ABOUT = {"title": "Disk", "service": "portal", "team": "studies"}


@pytest.fixture
def written(database: Database) -> Iterator[June]:
    month = June(database)
    with closing(month.log):
        month.applied()
        yield month


def _happens(month: June) -> None:
    month.opens(june(2, 8), ONE, origin="monitoring")
    promise(month, ONE, 2, 8)
    month.says(june(2, 9), "incident.paused", ONE, reason="user", question="Which?")
    climbed = {"cycle": 1, "from_level": "n1", "to_level": "n2", "cause": "dwell"}
    month.says(june(2, 10), "escalation.escalated", ONE, **climbed, **_CLIMBED)
    month.says(june(2, 11), "incident.resumed", ONE, cause="agent")
    month.says(june(2, 12), "incident.resolved", ONE, cycle=1)
    met = {"met_at": june(2, 12), "elapsed_seconds": 2 * HOUR, "seconds": 8 * HOUR}
    month.says(june(2, 12), "sla.met", ONE, target="ttr", cycle=1, **met)
    led = {"origin": "incident", "incident": ONE}
    month.says(june(3), "problem.identified", "PRB-000001", **_ABOUT, **led)
    month.says(june(3), "change.requested", "CHG-000001", **_ABOUT, incident=ONE)


_CLIMBED = {"team": "network", "escalated_at": june(2, 10)}


def test_a_rebuild_says_the_same_of_all_streams(
    database: Database, written: June
) -> None:
    _happens(written)
    live = followed(database, METRICS, written.log)
    written.says(june(4), "incident.reopened", ONE, **REOPENED, after_closure=False)
    followed(database, METRICS, written.log)

    done = rebuilt(database, METRICS, chunk_events=2)

    assert (done.same, done.parked) == (True, 0)
    assert done.schema != live
    assert digest_of(written.log, METRICS, live) == done.digest


def test_what_came_of_an_escalation_is_the_teams(
    database: Database, written: June
) -> None:
    _happens(written)
    schema = followed(database, METRICS, written.log)

    with written.log.transaction() as cursor:
        rows = cursor.execute(
            f"SELECT team, working, wall FROM {schema}.facts WHERE kind = 'resolved'"
        ).fetchall()

    assert rows == [("network", 2 * HOUR, 4 * HOUR)]


def test_a_rebuild_says_the_same_of_what_was_agreed(
    database: Database, written: June
) -> None:
    written.opens(june(2, 8), ONE)
    promise(written, ONE, 2, 8)
    ttr = {"target": "ttr", "cycle": 1}
    late = {"contract": "ville", "seconds": 9, "due_at": june(3)}
    written.says(june(3), "sla.breached", ONE, **ttr, **late, breached_at=june(3))
    for day, party in ((4, "provider"), (5, "user")):
        written.says(june(day), "sla.breach_attributed", ONE, **ttr, party=party)
    followed(database, METRICS, written.log)
    over = {"elapsed_seconds": 12, "overrun_seconds": 3, "agreed_seconds": 12}
    written.says(june(6), "sla.overran", ONE, **ttr, **over, done_at=june(6))
    followed(database, METRICS, written.log)

    assert rebuilt(database, METRICS, chunk_events=2).same
