"""Fills the read models of a desk with incidents, a million of them in minutes.

Rows for the first `SEEDS` incidents are made one by one: half of them open, spread over
teams, people, clients and services. PostgreSQL multiplies them, with references, titles
and instants of their own. What was said about an incident is put together from two of
`SEEDS` texts, whose words are as frequent as in a language: few are common, most are
rare. Indexes are dropped before and created after, as a rebuild does.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

import psycopg
from rich.progress import track

from services.projections.queue.order import NO_PLACES, Place, Places, passed
from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow
from services.projections.queue.store import columns
from services.projections.queue.tables import ROWS
from services.projections.queue.tables import indexes as queue_indexes
from services.projections.words.hashes import WordHashes, current
from services.projections.words.tables import HASHES, RECORDS
from services.projections.words.tables import indexes as words_indexes
from shared.domain.incident import Status
from shared.domain.working_time import ALWAYS
from tests.support.desks.running import Desk
from tests.support.strategies.histories import entry, opened

QUEUE, WORDS = "rm_queue_v1", "rm_words_v1"
SEEDS = 10_000
"""How many incidents are made one by one."""
INDEXES_AT_ONCE = 2
CALENDARS = 5
"""Number of calendars of the open incidents; each costs one index scan per page."""
CLIENTS, SERVICES, TEAMS, PEOPLE = 20, 50, 20, 5_000
START = datetime(2026, 1, 1, tzinfo=UTC)
COMMON, SCARCE = "bonjour", "zibeline"
"""A word that was said about every incident, and one of one in `ONE_IN`."""
ONE_IN = 1_000
_WORDS = ("disk", "mail", "vpn", "payroll", "printer", "slow", "broken", "full")
_SYLLABLES = (
    "ba",
    "ce",
    "do",
    "fil",
    "gar",
    "lu",
    "mer",
    "no",
    "pi",
    "ros",
    "ta",
    "vi",
)
_VOCABULARY = 20_000
_SAID = 40
"""How many words were said about an incident, apart from its title."""
_OPEN = (Status.NEW, Status.ACKNOWLEDGED, Status.PAUSED, Status.RESOLVED)
_BUILD_FAST = (
    "SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 2"
)


def row(number: int, random: Random) -> QueueRow:
    """Return an incident of the queue."""
    at = START + timedelta(seconds=number)
    ended = random.random() < 0.5
    status = Status.CLOSED if ended else random.choice(_OPEN)
    opening = opened(
        f"INC-{number:06d}",
        title=f"{' '.join(random.choices(_WORDS, k=4))} on host-{number}",
        priority=random.choice(("p1", "p2", "p3", "p4")),
        service=f"service-{random.randrange(SERVICES)}",
        client=f"client-{random.randrange(CLIENTS)}",
        team=f"team-{random.randrange(TEAMS)}",
        reporter=random.choice((None, f"user-{random.randrange(PEOPLE)}")),
        origin="user",
        at=at,
        reported_at=at,
    )
    new = project(None, entry(opening, number, 1, at))
    assert new
    due_at = random.choice((None, at + timedelta(minutes=random.randrange(9_000))))
    return replace(
        new,
        status=status,
        assignee=random.choice((None, "nadia", f"agent-{random.randrange(200)}")),
        ended_at=at if ended else None,
        level=random.choice(("n1", "n1", "n2", "n3")),
        due_at=due_at,
        due_target="ttr" if due_at else None,
        breached=random.random() < 0.05,
    )


def said(random: Random, words: int = _SAID) -> str:
    """Return what was said about an incident: few words are common, most are rare."""
    drawn = (int(_VOCABULARY * random.random() ** 3) for _ in range(words))
    return f"{COMMON} {' '.join(map(_word, drawn))}"


def _word(number: int) -> str:
    text = ""
    while True:
        number, syllable = divmod(number, len(_SYLLABLES))
        text += _SYLLABLES[syllable]
        if not number:
            return text


def fill(desk: Desk, there: int, number: int) -> None:
    """Fill the read models, which have `there` incidents, up to `number`.

    Both are 0 or whole multiples of `SEEDS`.
    """
    assert there % SEEDS == number % SEEDS == 0, f"in steps of {SEEDS}"
    with psycopg.connect(desk.database.owner_dsn, autocommit=True) as connection:
        connection.execute(_BUILD_FAST)
        cursor = connection.cursor()
        _drop_indexes(cursor)
        if not there:
            _sow(desk, cursor)
            there = SEEDS
        for statement in track(_growth(there, number), f"{number:,} incidents"):
            cursor.execute(statement)
        cursor.execute(_HOURS)
        cursor.execute(_COUNTS)
        _create_indexes(desk)
        cursor.execute(f"VACUUM ANALYZE {QUEUE}.incidents")
        cursor.execute(f"VACUUM ANALYZE {WORDS}.records")
        cursor.execute("CHECKPOINT")


_INDEXES = """
SELECT indexrelid::regclass, conname FROM pg_index
JOIN pg_class AS c ON c.oid = indrelid
LEFT JOIN pg_constraint ON conindid = indexrelid
WHERE indrelid = ANY(%s::regclass[])
"""
_HOURS = f"""
INSERT INTO {QUEUE}.hours
SELECT DISTINCT hours, '1:' || hours FROM {QUEUE}.incidents WHERE hours <> ''
ON CONFLICT DO NOTHING
"""  # noqa: S608 # our own names
_COUNTS = f"""
WITH held AS (
    SELECT status, priority, rank = 0 AS breached, count(*) AS n, team, assignee
    FROM {QUEUE}.incidents WHERE rank IS NOT NULL GROUP BY 1, 2, 3, 5, 6
), named AS (
    SELECT 'all' AS queue, * FROM held UNION ALL SELECT 'team:' || team, * FROM held
    UNION ALL SELECT coalesce('person:' || assignee, 'unassigned'), * FROM held
)
INSERT INTO {QUEUE}.counts (queue, status, priority, breached, n)
SELECT queue, status, priority, breached, sum(n) FROM named GROUP BY 1, 2, 3, 4
ON CONFLICT (queue, status, priority, breached) DO UPDATE SET n = excluded.n
"""  # noqa: S608 # our own names


def _drop_indexes(cursor: psycopg.Cursor[tuple[str, str | None]]) -> None:
    tables = [f"{QUEUE}.incidents", f"{WORDS}.records"]
    for index, constraint in cursor.execute(_INDEXES, (tables,)).fetchall():
        schema = WORDS if index.startswith(WORDS) else QUEUE
        table = f"{schema}.{'records' if schema == WORDS else 'incidents'}"
        cursor.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"
            if constraint
            else f"DROP INDEX {index}"
        )


def _create_indexes(desk: Desk) -> None:
    """Create all indexes, two at a time: those of words take minutes each.

    Constraints, settings of indexes and statistics come after them, in order.
    """

    def create(statement: str) -> None:
        with psycopg.connect(desk.database.owner_dsn, autocommit=True) as connection:
            connection.execute(_BUILD_FAST)
            connection.execute(statement)

    statements = (*words_indexes(WORDS), *queue_indexes(QUEUE))
    first = [each for each in statements if each.strip().startswith("CREATE INDEX")]
    with ThreadPoolExecutor(INDEXES_AT_ONCE) as threads:
        for _ in track(threads.map(create, first), "their indexes", total=len(first)):
            pass
    for statement in statements:
        if statement not in first:
            create(statement)


def _hashes_of(hashes: WordHashes, text: str) -> list[int]:
    """Return the hashes of a text, each word's computed once for all texts."""
    return sorted({each for word in text.split() for each in _hashed(hashes, word)})


@cache
def _hashed(hashes: WordHashes, word: str) -> frozenset[int]:
    return frozenset(hashes.of(word))


def _sow(desk: Desk, cursor: psycopg.Cursor[tuple[str, str | None]]) -> None:
    """Insert the first incidents, and what texts are put together from."""
    random, log = Random(1), desk.log()
    hashes = current(log.vault)
    log.close()
    assert hashes
    numbers = range(1, SEEDS + 1)
    rows = [row(number, random) for number in track(numbers, "the first incidents")]
    ROWS.copy(
        cursor, QUEUE, (columns(one, _places(one, n)) for n, one in enumerate(rows))
    )
    cursor.execute(
        "CREATE SCHEMA bench CREATE TABLE texts"
        " (n int PRIMARY KEY, title int8[], topic int8[], half int8[], other int8[])"
    )
    with cursor.copy("COPY bench.texts FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int4", "int8[]", "int8[]", "int8[]", "int8[]"])
        for n, one in enumerate(track(rows, "their words")):
            half, other = said(random, _SAID // 2), said(random, _SAID // 2)
            scarce = f"{half} {SCARCE}" if n % ONE_IN == 0 else half
            texts = (one.title, one.service, scarce, other)
            copy.write_row((n, *(_hashes_of(hashes, text) for text in texts)))
    cursor.execute(_words_of(1, SEEDS))


def _places(one: QueueRow, number: int) -> Places:
    """Return the place of an incident in the order, in one of `CALENDARS` hours."""
    if one.due_at is None:
        return NO_PLACES
    first = Place(f"hours-{number % CALENDARS}", passed(ALWAYS, one.due_at))
    return Places(first, first)


_NUMBER = "substr(held.ref, 5)::bigint"
_OWN = {
    "ref": "'INC-' || lpad((old + k)::text, greatest(6, length((old + k)::text)), '0')",
    "title": "replace(title, 'host-' || old, 'host-' || old + k)",
    "words": "replace(words, old::text, (old + k)::text)",
    "worked": "CASE WHEN hours = '' THEN worked ELSE worked + k END",
    "position": "position + k",
    **{
        name: f"{name} + k * interval '1 second'"
        for name in ("opened_at", "reported_at", "updated_at", "ended_at", "due_at")
    },
}
"""What a copy of an incident has of its own: the incident `k` numbers later."""


def _growth(there: int, number: int) -> list[str]:
    """Return the statements that copy the first incidents until there are so many."""
    if number == there:
        return []
    # `worked` and the instants grow alike, so the order stays that of due dates.
    selected = ", ".join(_OWN.get(each.name, each.name) for each in ROWS.columns)
    rows = (
        f"INSERT INTO {QUEUE}.incidents ({ROWS.names}) SELECT {selected}"  # noqa: S608 # our own names
        f" FROM (SELECT *, {_NUMBER} AS old FROM {QUEUE}.incidents AS held"
        f" WHERE {_NUMBER} <= {SEEDS}) AS seed,"
        f" generate_series({there}::bigint, {number - 1}, {SEEDS}) AS k"
    )
    return [rows, _words_of(there + 1, number)]


def _words_of(first: int, last: int) -> str:
    """Return the statement that inserts the words of incidents with these numbers."""
    hashes = {"title": "a.title", "topic": "a.topic", "said": "a.half || b.other"}
    values = ", ".join(hashes.get(name, "'{}'") for name in HASHES)
    return (
        f"INSERT INTO {WORDS}.records ({RECORDS.names})"  # noqa: S608 # our own names
        f" SELECT 'incident', held.ref, rank IS NOT NULL, position, '{{person:paul}}',"
        f" {values} FROM {QUEUE}.incidents AS held"
        f" JOIN bench.texts AS a ON a.n = ({_NUMBER} - 1) % {SEEDS}"
        f" JOIN bench.texts AS b"
        f" ON b.n = ({_NUMBER} + ({_NUMBER} - 1) / {SEEDS} * 7919) % {SEEDS}"
        f" WHERE {_NUMBER} BETWEEN {first} AND {last}"
    )


def people() -> Iterator[tuple[str, str]]:
    """Yield the id and the name of everybody whom the incidents name."""
    yield "nadia", "Nadia Roux"
    yield from ((f"agent-{n}", f"Agent {_word(n).title()}") for n in range(200))
    yield from ((f"user-{n}", f"User {_word(n).title()}") for n in range(PEOPLE))
