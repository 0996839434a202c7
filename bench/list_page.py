"""How fast a page of a queue is, over HTTP with counts, and how it scales.

`python -m bench.list_page [--incidents N ...] [--json]`. One client, one request after
the other, fifty incidents per page, tokens checked, the real service as a process. Half
of the incidents are open. The bound of the same run: the same server answering
`/health/live`, which does nothing.
"""

import json
import statistics
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from time import perf_counter
from typing import Annotated

import httpx
import psycopg
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from services.projections.queue.projection import project
from services.projections.queue.row import NO_PLACES, Place, Places, QueueRow, passed
from services.projections.queue.store import COLUMNS, columns
from shared.domain.incident import Status
from shared.domain.working_time import ALWAYS
from tests.support.desk import Desk, running_desk
from tests.support.histories import entry, opened
from tests.support.servers import reachable_folder

PATHS = {
    "nothing (the bound)": "/health/live",
    "all": "/v1/queues/all/incidents",
    "all, a later page": "/v1/queues/all/incidents?cursor=",
    "one team": "/v1/queues/team-3/incidents",
    "unassigned": "/v1/queues/unassigned/incidents",
    "mine": "/v1/queues/mine/incidents",
    "priority p4": "/v1/queues/all/incidents?priority=p4",
    "breached": "/v1/queues/all/incidents?breached=true",
    "level n3": "/v1/queues/all/incidents?level=n3",
    "paused": "/v1/queues/all/incidents?status=paused",
    "one service of a team": "/v1/queues/team-3/incidents?service=service-4",
    "one reporter": "/v1/queues/all/incidents?reporter=user-77",
    "a word of the title": "/v1/queues/all/incidents?q=payroll",
    "closed": "/v1/queues/all/incidents?status=closed",
}
REQUESTS = 400
CALENDARS = 5
"""Number of calendars of the open incidents; each costs one index scan per page."""
START = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = ("disk", "mail", "vpn", "payroll", "printer", "slow", "broken", "full")
_OPEN = (Status.NEW, Status.ACKNOWLEDGED, Status.PAUSED, Status.RESOLVED)


@dataclass(frozen=True)
class Measured:
    """Milliseconds per page, from request to answer."""

    incidents: int
    page: str
    ms_p50: float
    ms_p99: float


def row(number: int, random: Random) -> QueueRow:
    """Return an incident: half of them open, spread over teams, people and services."""
    at = START + timedelta(seconds=number)
    ended = random.random() < 0.5
    status = Status.CLOSED if ended else random.choice(_OPEN)
    opening = opened(
        f"INC-{number:06d}",
        title=f"{' '.join(random.choices(_WORDS, k=4))} on host-{number}",
        priority=random.choice(("p1", "p2", "p3", "p4")),
        service=f"service-{random.randrange(50)}",
        client=f"client-{random.randrange(20)}",
        team=f"team-{random.randrange(20)}",
        reporter=random.choice((None, f"user-{random.randrange(5_000)}")),
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


def fill(desk: Desk, first: int, last: int) -> None:
    """Insert incidents into the live generation: only reads are timed."""
    random = Random(first)
    into = f"COPY rm_queue_v1.incidents ({', '.join(COLUMNS)}) FROM STDIN"
    with psycopg.connect(desk.database.owner_dsn, autocommit=True) as connection:
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            for number in track(range(first, last + 1), f"{last:,} incidents"):
                one = row(number, random)
                copy.write_row(columns(one, _places(one, number)))
        connection.execute(
            "INSERT INTO rm_queue_v1.hours SELECT hours, '1:' || hours"
            " FROM rm_queue_v1.incidents WHERE hours <> '' GROUP BY 1"
            " ON CONFLICT DO NOTHING"
        )
        connection.execute(
            "INSERT INTO rm_queue_v1.counts"
            " SELECT 'all', status, priority, rank = 0, count(*)"
            " FROM rm_queue_v1.incidents WHERE rank IS NOT NULL GROUP BY 2, 3, 4"
            " ON CONFLICT (queue, status, priority, breached)"
            " DO UPDATE SET n = excluded.n"
        )
        connection.execute("VACUUM ANALYZE rm_queue_v1.incidents")


def _places(one: QueueRow, number: int) -> Places:
    """Return the place of an incident in the order, in one of `CALENDARS` hours."""
    if one.due_at is None:
        return NO_PLACES
    first = Place(f"hours-{number % CALENDARS}", passed(ALWAYS, one.due_at))
    return Places(first, first)


def timed(desk: Desk, incidents: int) -> list[Measured]:
    """Return how long each page takes."""
    with httpx.Client(
        base_url=desk.api_url, headers=desk.bearer("agent"), timeout=30
    ) as client:
        cursor = client.get(PATHS["all"]).json()["next_cursor"]
        return [
            _one(client, incidents, name, path + (cursor if path[-1] == "=" else ""))
            for name, path in PATHS.items()
        ]


def _one(client: httpx.Client, incidents: int, name: str, path: str) -> Measured:
    took: list[float] = []
    for _ in range(REQUESTS):
        began = perf_counter()
        assert client.get(path).status_code == 200
        took.append((perf_counter() - began) * 1_000)
    percentiles = statistics.quantiles(took[REQUESTS // 20 :], n=100)
    return Measured(
        incidents, name, round(percentiles[49], 2), round(percentiles[98], 2)
    )


def main(
    incidents: Annotated[
        list[int], typer.Option(help="How many, ascending; repeat it.")
    ] = [10_000, 100_000, 1_000_000],  # noqa: B006 # typer wants a list
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    found: list[Measured] = []
    with (
        reachable_folder(on_disk=True) as folder,
        running_desk(folder, durable=True, start=("projections",)) as desk,
    ):
        there = 0
        for number in incidents:
            fill(desk, there + 1, number)
            there = number
            found += timed(desk, number)
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    table = Table("page", *(f"{number:,}" for number in incidents))
    for name in PATHS:
        table.add_row(
            name, *(f"{m.ms_p50} / {m.ms_p99} ms" for m in found if m.page == name)
        )
    Console().print(table, "p50 / p99")


if __name__ == "__main__":
    typer.run(main)
