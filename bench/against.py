"""Compares this tree with an earlier commit: processor time per incident, in turn.

`python -m bench.against COMMIT` clones the commit into a temporary folder, with a
`.venv` of the same Python, and starts a desk of each as `make up` does. Then both are
sent the same number of incidents at the same rate, one after the other, again and
again: how fast a machine is changes within minutes, so only figures of one round are
divided. The rate is one that both can follow. At the highest one the faster tree would
take more at a time, and each incident would be cheaper for that reason alone. What a
desk needs at rest is measured in each round, and is not counted as the incidents'.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from platform import python_version
from signal import SIGTERM, signal
from statistics import median
from time import monotonic, sleep
from typing import Annotated, Any, NamedTuple, NoReturn

import httpx
import psutil
import typer
from rich.console import Console
from rich.table import Table

from bench.figure import WIDTH
from standalone.ports import free_port
from standalone.supervisor import child_command
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until

HERE = Path(__file__).parents[1]
TOGETHER = "together"
SIZES: Mapping[str, int] = {"one a request": 1, "arrays of 20": 20}
"""How many incidents a request reports."""
REST = "at rest, a second"
_POLICY = Path("bench/permanence.yaml")
_CONNECTIONS = 16
_STILL = 3
"""How many looks in a row have to find nothing left to read."""
_REST_SECONDS = 5.0
_NUMBERS = count(1)


class Row(NamedTuple):
    """What one program needs in one way of sending: µs per incident in both trees."""

    kind: str
    program: str
    here: float
    there: float
    ratios: Sequence[float]
    """Of each round: here divided by there."""


Used = Mapping[tuple[str, str], float]
"""µs per incident, or per second at rest, by way of sending and program."""


class Void(Exception):
    """What was measured is not what was to be measured."""


@dataclass(frozen=True)
class Desk:
    """A desk that `make up` started, as its run file describes it."""

    intake_url: str
    source_key: str
    pids: Mapping[str, int]
    ports: Sequence[int]
    """Where its services report how far they are behind."""

    def seconds(self) -> Mapping[str, float]:
        """Return the processor time of each program so far, with its children's."""
        return {name: _seconds(psutil.Process(pid)) for name, pid in self.pids.items()}

    def is_still(self) -> bool:
        """Return whether every reader has read all there is."""
        return all(map(_has_read, self.ports))


def _seconds(process: psutil.Process) -> float:
    total = 0.0
    for each in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            with_it = each.cpu_times()
            total += with_it.user + with_it.system
    # PostgreSQL's sessions end: then it has their time among that of its children.
    own = process.cpu_times()
    return total + own.user + own.system + own.children_user + own.children_system


def _has_read(port: int) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/health/ready")
    except httpx.HTTPError:
        return False
    behind = [float(check.get("lag_events", 0)) for check in answer.json()["checks"]]
    return answer.is_success and not any(behind)


def rows_of(rounds: Sequence[tuple[Used, Used]]) -> Iterator[Row]:
    """Yield a row for what both trees have in each round."""
    trees = [tree for both in rounds for tree in both]
    for key in (key for key in trees[0] if all(key in tree for tree in trees)):
        here, there = ([r[side][key] for r in rounds] for side in (0, 1))
        ratios = [h / t for h, t in zip(here, there, strict=True) if t > 0 and h > 0]
        if len(ratios) == len(rounds):
            yield Row(*key, median(here), median(there), ratios)


def table_of(title: str, rows: Sequence[Row]) -> Table:
    """Return the table of a comparison."""
    table = Table(title=title, title_justify="left")
    for name in ("sent", "program"):
        table.add_column(name)
    for name in ("here", "there", "×", "range"):
        table.add_column(name, justify="right")
    before = ""
    for row in rows:
        low, high = min(row.ratios), max(row.ratios)
        table.add_row(
            "" if row.kind == before else row.kind,
            row.program,
            f"{row.here:,.0f}",
            f"{row.there:,.0f}",
            f"{median(row.ratios):.2f}",
            f"{low:.2f} – {high:.2f}",
            end_section=row.program == TOGETHER,
        )
        before = row.kind
    return table


def main(
    commit: Annotated[str, typer.Argument(help="The other tree.")],
    rounds: Annotated[int, typer.Option(min=1, help="Both are sent so often.")] = 6,
    incidents: Annotated[int, typer.Option(min=20, help="So many each time.")] = 600,
    rate: Annotated[float, typer.Option(min=1, help="So many per second.")] = 50.0,
) -> None:
    """Measure both trees in turn; print one table."""
    signal(SIGTERM, _interrupted)
    with reachable_folder(on_disk=True) as folder, ExitStack() as desks:
        there = folder / "tree"
        named = _run(HERE, "git", "rev-parse", "--verify", f"{commit}^{{commit}}")
        _run(HERE, "git", "clone", "--quiet", "--no-checkout", str(HERE), str(there))
        _run(there, "git", "checkout", "--quiet", named.strip())
        python = {**os.environ, "PYTHON": sys.executable}
        _run(there, "make", "--silent", "setup", env=python)
        # Both get the policy of the older one, which need not know later fields.
        shutil.copy(there / _POLICY, folder / _POLICY.name)
        both = [
            desks.enter_context(_desk(tree, folder / name, folder / _POLICY.name))
            for name, tree in (("here", HERE), ("there", there))
        ]
        for desk in both:  # what is read, compiled and planned once
            _measured(desk, incidents, rate)
        done = []
        for number in range(rounds):
            order = both if number % 2 == 0 else both[::-1]
            used = {id(desk): _measured(desk, incidents, rate) for desk in order}
            done.append((used[id(both[0])], used[id(both[1])]))
    how = f"{rounds} rounds of {incidents} at {rate:g}/s, Python {python_version()}"
    title = f"CPU µs per incident, this tree against {commit}: {how}"
    Console(width=WIDTH).print(table_of(title, list(rows_of(done))))


def _interrupted(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)  # both desks end


@contextmanager
def _desk(tree: Path, home: Path, policy: Path) -> Iterator[Desk]:
    """Run a desk of `tree` in `home`, with promises to keep; end it afterwards."""
    services = ("API", "INTAKE", "SLA_WATCHER", "ESCALATION")
    ports = [free_port() for _ in services]
    given = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PERMANENCE_")
        and name not in {"DATABASE_URL", "NATS_URL", "PYTHONDONTWRITEBYTECODE"}
    }
    given |= {
        f"PERMANENCE_{s}_PORT": str(p) for s, p in zip(services, ports, strict=True)
    }
    given["PERMANENCE_HOME"] = str(home)
    said = home.with_suffix(".log")
    up = subprocess.Popen(
        child_command(
            [str(tree / ".venv/bin/python"), "-m", "services", "up"],
            when_we_die=SIGTERM,
        ),
        cwd=tree,
        env=given,
        stdout=said.open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )

    def serves() -> bool:
        if up.poll() is not None:
            raise Void(f"no desk of {tree}:\n{said.read_text()[-2_000:]}")
        return (home / "run.json").exists() and all(map(_has_read, ports))

    try:
        until(serves, lambda: said.read_text()[-2_000:], 3 * SECONDS)
        apply = (".venv/bin/permanence", "config", "apply", str(policy))
        _run(tree, *apply, "--reason", "measured", env=given)
        run = json.loads((home / "run.json").read_text(encoding="utf-8"))
        pids = {name: pid for name, pid in run["pids"].items() if name != "supervisor"}
        yield Desk(run["intake_url"], run["source_key"], pids, ports)
    finally:
        up.terminate()
        up.wait(SECONDS)


def _measured(desk: Desk, incidents: int, rate: float) -> Used:
    """Return what each program needed, by way of sending; at rest as well."""
    before, began = desk.seconds(), monotonic()
    sleep(_REST_SECONDS)
    after, ended = desk.seconds(), monotonic()
    rest = {name: (after[name] - before[name]) / (ended - began) for name in after}
    used = _microseconds(REST, rest)
    for kind, size in SIZES.items():
        before, began = desk.seconds(), monotonic()
        asyncio.run(_send(desk, incidents // size, size, rate))
        still = 0

        def is_over() -> bool:
            nonlocal still
            still = still + 1 if desk.is_still() else 0
            return still == _STILL

        until(is_over, "all is read")
        after, ended = desk.seconds(), monotonic()
        sent = incidents // size * size
        each = {
            name: (after[name] - before[name] - rest[name] * (ended - began)) / sent
            for name in after
        }
        used |= _microseconds(kind, each)
    return used


def _microseconds(
    kind: str, seconds: Mapping[str, float]
) -> dict[tuple[str, str], float]:
    whole = {**seconds, TOGETHER: sum(seconds.values())}
    return {(kind, name): 1e6 * value for name, value in whole.items()}


async def _send(desk: Desk, requests: int, size: int, rate: float) -> None:
    """Report `size` incidents with each request, `rate` incidents per second."""
    limits = httpx.Limits(max_connections=_CONNECTIONS)
    headers = {"Authorization": f"Bearer {desk.source_key}"}
    async with httpx.AsyncClient(
        base_url=desk.intake_url, headers=headers, limits=limits, timeout=SECONDS
    ) as client:
        began = monotonic()

        async def one(number: int) -> None:
            await asyncio.sleep(began + number * size / rate - monotonic())
            answer = await client.post("/v1/events", json=_body(size))
            answer.raise_for_status()
            results = [result["status"] for result in answer.json()["results"]]
            if results != ["opened"] * size:
                raise Void(f"{desk.intake_url} opened no incident: {answer.text}")

        await asyncio.gather(*map(one, range(requests)))
        if monotonic() - began > 1.5 * requests * size / rate:
            raise Void(f"{desk.intake_url} did not follow {rate:g}/s: name a lower one")


def _body(size: int) -> list[dict[str, Any]]:
    return [
        {
            "action": "trigger",
            "dedup_key": f"host-{number}",
            "title": f"Checkout {number} answers 502",
            "service": "web",
            "severity": "critical",
        }
        for number in (next(_NUMBERS) for _ in range(size))
    ]


def _run(tree: Path, *command: str, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=tree, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Void(f"{' '.join(command)} failed:\n{done.stderr[-2_000:]}")
    return done.stdout


if __name__ == "__main__":
    try:
        typer.run(main)
    except Void as why:
        typer.echo(str(why), err=True)
        sys.exit(1)
