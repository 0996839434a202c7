"""How fast the agent's screens are, and the calls of the API beneath them.

`python -m bench.screens [--incidents N ...] [--requests N] [--json]`. Projections runs
as a process; one browser, one request after the other, signed in with a session: as an
agent with all rights, and as one whose rights are limited to one client of twenty. A
screen asks the API for several answers inside the process; the largest of them is timed
by itself, beside. The bound of the same run: `/health/live`, which does nothing.

What is slow is asked for less often: each figure takes at most `SECONDS_MAX`, after the
first `REQUESTS_MIN` requests.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import cycle
from time import perf_counter
from typing import Annotated

import httpx
import psycopg
import typer
from rich.console import Console
from rich.table import Table

from bench import full_queue, histories
from bench.drained import model_positions
from bench.figure import WIDTH, percentile, title_of
from bench.full_queue import COMMON
from bench.histories import RARE
from bench.signed_in import sessions
from services.projections.api.session_cookie import COOKIE
from shared.domain.limits import EVERYTHING, Limits
from tests.support.desks.running import Desk, running_desk, serving
from tests.support.folders import reachable_folder
from tests.support.patience import until

REQUESTS = 100
REQUESTS_MIN = 12
"""How many are timed even of what is slow, beside the warm-up."""
SECONDS_MAX = 5.0
"""How long each figure may take after these."""
WARM_UP = 5
DRAIN_SECONDS = 300
ONE_CLIENT = "client-3"
CALLERS: Mapping[str, Limits] = {
    "all rights": EVERYTHING,
    "one client": Limits(clients=frozenset({ONE_CLIENT})),
}
_QUEUE = "/v1/queues/all/incidents"


@dataclass(frozen=True)
class Screen:
    """A page, and the call beneath it that answers most of it."""

    what: str
    path: str
    beneath: str


@dataclass(frozen=True)
class Measured:
    """Milliseconds of a screen, and of the call beneath it."""

    incidents: int
    caller: str
    screen: str
    p50: float
    p99: float
    refused: int
    """How many of the requests were not answered 200, such as one that takes long."""
    beneath_p50: float
    beneath_p99: float
    beneath_refused: int


def screens(ref: str) -> Sequence[Screen]:
    """Return the screens, with `ref` as the incident that is opened."""
    rare, common = f"q={RARE}", f"q={COMMON}"
    return (
        Screen("nothing (the bound)", "/health/live", "/health/live"),
        Screen("queue", "/", _QUEUE),
        Screen("queue of a team", "/?queue=team-3", "/v1/queues/team-3/incidents"),
        Screen("mine", "/?queue=mine", "/v1/queues/mine/incidents"),
        Screen("closed ones", "/?status=closed", f"{_QUEUE}?status=closed"),
        Screen("search, a rare word", f"/?{rare}", f"{_QUEUE}?{rare}"),
        Screen("search, a word of all", f"/?{common}", f"{_QUEUE}?{common}"),
        Screen("Ctrl-K, a rare word", f"/find?{rare}", f"/v1/search?{rare}&limit=6"),
        Screen("incident", f"/incidents/{ref}", f"/v1/incidents/{ref}"),
    )


def measured(desk: Desk, incidents: int, requests: int) -> Iterator[Measured]:
    """Time all screens for all callers."""
    with closing(desk.log()) as log:
        secrets = {
            caller: sessions(log, ["nadia"], limits)[0]
            for caller, limits in CALLERS.items()
        }
    for caller, secret in secrets.items():
        with httpx.Client(base_url=desk.api_url, timeout=30) as client:
            refs = _visible(client, secret, incidents)
            names = [screen.what for screen in screens("")]
            for number, what in enumerate(names):
                of_each = [screens(ref)[number] for ref in refs]
                cookie = {"Cookie": f"{COOKIE}={secret}"}
                bearer = {"Authorization": f"Bearer {secret}"}
                yield Measured(
                    incidents,
                    caller,
                    what,
                    *_timed(client, cookie, [s.path for s in of_each], requests),
                    *_timed(client, bearer, [s.beneath for s in of_each], requests),
                )


def _visible(client: httpx.Client, secret: str, incidents: int) -> list[str]:
    """Return those of the incidents with a history that a caller may see."""
    bearer = {"Authorization": f"Bearer {secret}"}
    found = [
        ref
        for ref in histories.written(incidents)
        if client.get(f"/v1/incidents/{ref}", headers=bearer).status_code == 200
    ]
    assert found, "the caller sees no incident with a history"
    return found


def _timed(
    client: httpx.Client, headers: Mapping[str, str], paths: Sequence[str], times: int
) -> tuple[float, float, int]:
    """Return the percentiles 50 and 99 of requests of these paths; how many failed."""
    took: list[float] = []
    refused, ends_at = 0, perf_counter() + SECONDS_MAX
    for path, number in zip(cycle(paths), range(times + WARM_UP), strict=False):
        began = perf_counter()
        if began > ends_at and number >= REQUESTS_MIN + WARM_UP:
            break
        answer = client.get(path, headers=headers)
        took.append(1_000 * (perf_counter() - began))
        refused += answer.status_code != 200
    counted = took[WARM_UP:]
    p50, p99 = (round(percentile(counted, percent), 1) for percent in (50, 99))
    return p50, p99, refused


def main(
    incidents: Annotated[
        list[int], typer.Option(help="How many, ascending; repeat it.")
    ] = [10_000, 1_000_000],  # noqa: B006 # typer wants a list
    requests: Annotated[int, typer.Option(help="How many of each.")] = REQUESTS,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    found: list[Measured] = []
    with (
        reachable_folder(on_disk=True) as folder,
        running_desk(folder, durable=True, start=()) as desk,
    ):
        histories.make_read_models(desk)
        _introduce_people(desk)
        there = 0
        for number in incidents:
            full_queue.fill(desk, there, number)
            histories.write(desk, there, number)
            there = number
            with serving(desk, ("projections",)):
                _wait_until_read(desk)
                found += measured(desk, number, requests)
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    for caller in CALLERS:
        Console(width=WIDTH).print(
            _table(caller, [m for m in found if m.caller == caller])
        )


def _table(caller: str, found: Sequence[Measured]) -> Table:
    sizes = list(dict.fromkeys(m.incidents for m in found))
    title = title_of("screens", f"{caller}: p50 / p99 in ms, and the call beneath")
    table = Table("screen", title=title, title_justify="left", width=WIDTH)
    for size in sizes:
        table.add_column(f"{size:,} incidents")
    for what in dict.fromkeys(m.screen for m in found):
        rows = [m for m in found if m.screen == what]
        table.add_row(what, *map(_told, rows))
    return table


def _told(of: Measured) -> str:
    both = f"{of.p50} / {of.p99}; {of.beneath_p50} / {of.beneath_p99}"
    refused = of.refused + of.beneath_refused
    return f"{both} ({refused} refused)" if refused else both


def _introduce_people(desk: Desk) -> None:
    into = "COPY directory.people (id, name, updated_at) FROM STDIN"
    with psycopg.connect(desk.database.owner_dsn) as connection:
        with connection.cursor().copy(into) as copy:
            for id_, name in full_queue.people():
                copy.write_row((id_, name, "now"))
        connection.commit()


def _wait_until_read(desk: Desk) -> None:
    with closing(desk.log()) as log:
        head = log.head().position
        until(
            lambda: set(model_positions(log).values()) == {head},
            "the read models have the histories",
            DRAIN_SECONDS,
        )


if __name__ == "__main__":
    typer.run(main)
