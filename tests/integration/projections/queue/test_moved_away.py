"""An incident that moved away is gone for those with limits before the queue knows."""

from contextlib import closing
from typing import Any

import pytest
from psycopg import Cursor

from services.projections.queue.duplicates import near
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.load import load
from services.projections.queue.page import Part, counts, open_of_people, page
from services.projections.queue.search import ranked
from services.projections.queue.store import load as incidents
from services.projections.sight import EVERYTHING, Sight, visible
from services.projections.words.search import WordIndex
from shared.domain.limits import Limits
from shared.eventlog.log import EventLog
from shared.vault.vault import Vault
from tests.support.builders.june_log import ONE, THREE, TWO, June, june
from tests.support.builders.written_histories import QUEUE, followed
from tests.support.key_ring import KeyRing
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

TEAM = Sight((Limits(teams=frozenset(["accueil"])),))
ALL = QueueName("all")
FOUR = "INC-000004"
REFS = [ONE, TWO, THREE, FOUR]


def test_a_list_a_search_a_number_and_a_reference_leave_out_what_may_have_moved(
    database: Database, log: EventLog
) -> None:
    month = June(database)
    with closing(month.log):
        month.applied()
        for ref in REFS:
            month.opens(
                june(2), ref, team="accueil", title="Dark screen", reporter="zoe"
            )
        schema = followed(database, QUEUE, log)
        with log.transaction() as cursor:
            before = _seen(cursor, schema, TEAM)
        month.says(june(3), "incident.assigned", ONE, team="exploitation")
        help_ = {"cycle": 1, "team": "exploitation", "cause": "dwell"}
        levels = {"from_level": "n1", "to_level": "n2", "escalated_at": june(3)}
        month.says(june(3), "escalation.escalated", TWO, **help_, **levels)
        month.says(june(3), "incident.noted", FOUR, note="It does not move it")
    with log.transaction() as cursor:
        cursor.execute(
            f"INSERT INTO {schema}.parked (reader, position, stream, error)"
            " VALUES ('queue', 1, %s, '?')",
            (f"incident-{THREE}",),
        )
    with log.transaction() as cursor:
        after, everything = (_seen(cursor, schema, each) for each in (TEAM, EVERYTHING))

    assert before == everything == (REFS, REFS, 4, 4, set(REFS), REFS, REFS[:3])
    assert after == ([FOUR], [FOUR], 1, 1, {FOUR}, [FOUR], [])


def _seen(cursor: Cursor[Any], schema: str, sight: Sight) -> tuple[object, ...]:
    rows = page(cursor, schema, ALL, Filters(), Part(None, 9, june(3)), sight).rows
    index = WordIndex(Vault(KeyRing(), None), schema)  # the titles are in the queue
    hits = [
        match.ref
        for match in ranked(cursor, schema, Filters(q="dark"), index, sight, 9)
    ]
    number = sum(each[-1] for each in counts(cursor, schema, ALL, sight))
    working = sum(each.open for each in load(cursor, schema, june(3), {}, sight))
    shown = visible(cursor, schema, sight, REFS)
    listed = sorted(row.ref for row in rows)
    called = open_of_people(cursor, schema, ["zoe"], [], 9, sight)
    of = incidents(cursor, schema, [FOUR])[FOUR]
    alike = sorted(row.ref for row in near(cursor, schema, of, sight, ended=True))
    ours = sorted(row.ref for row in called)
    return (listed, sorted(hits), number, working, shown, ours, alike)
