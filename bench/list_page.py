"""How fast a page of a queue or a search is, over HTTP, and how it scales.

`python -m bench.list_page [--incidents N ...] [--json]`. One client, one request after
the other, fifty incidents per page, tokens checked, the real service as a process. Half
of the incidents are open. The bound of the same run: the same server answering
`/health/live`, which does nothing.
"""

import json
import statistics
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from bench.figure import WIDTH, title_of
from bench.full_queue import COMMON, SCARCE, fill
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder

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
    "a sealed word": f"/v1/queues/all/incidents?q={SCARCE}",
    "a sealed word of all": f"/v1/queues/all/incidents?q={COMMON}",
    "two sealed words": f"/v1/queues/all/incidents?q={COMMON}%20{SCARCE}",
    "search: a word": f"/v1/search?q={SCARCE}",
    "search: a word of all": f"/v1/search?q={COMMON}",
    "search: the beginning of many": "/v1/search?q=bon",
}
"""The hits of a search have no excerpts here: their texts are not in the log."""
REQUESTS = 400


@dataclass(frozen=True)
class Measured:
    """Milliseconds per page, from request to answer."""

    incidents: int
    page: str
    ms_p50: float
    ms_p99: float


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
            fill(desk, there, number)
            there = number
            found += timed(desk, number)
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    table = Table(
        "page",
        *(f"of {number:,} incidents" for number in incidents),
        title=title_of("list_page", f"{REQUESTS} requests each: p50 / p99"),
        title_justify="left",
        width=WIDTH,
    )
    for name in PATHS:
        table.add_row(
            name, *(f"{m.ms_p50} / {m.ms_p99} ms" for m in found if m.page == name)
        )
    Console(width=WIDTH).print(table)


if __name__ == "__main__":
    typer.run(main)
