"""Due and elapsed over a calendar, compared with `businesstimedelta`, in one run.

`python -m bench.working_time [--peer FOLDER] [--json]` creates a virtual environment
for the peer there, outside this repository; without a folder, in one that is removed
afterwards. Both answer the same questions, and all answers must be equal.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Annotated, Any

import typer

from bench import peer_working_time
from bench.figure import Figure, median_of, show
from bench.peer_working_time import a_second
from shared.domain.policy.calendars import Calendar
from shared.domain.working_time import due, elapsed, hours_of
from shared.domain.working_time.hours import stretch

PACKAGES = ("businesstimedelta==1.0.1",)
QUESTIONS = 200
DUE_HOURS = 8
ELAPSED_DAYS = 61
ZONE, OPENS, CLOSES = "Europe/Paris", 8, 18
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
CALENDARS = {
    "weekly hours alone": (),
    "with public holidays": (
        "2026-01-01",
        "2026-04-06",
        "2026-05-01",
        "2026-05-08",
        "2026-05-14",
        "2026-05-25",
        "2026-07-14",
        "2026-11-11",
        "2026-12-25",
        "2027-01-01",
    ),
}
WHATS = {"due": f"due, {DUE_HOURS} h", "elapsed": f"elapsed, {ELAPSED_DAYS} days"}
AIM = 20
"""The targeted multiple of the peer's rate."""


def main(
    peer: Annotated[Path | None, typer.Option(help="For its environment.")] = None,
    rounds: Annotated[int, typer.Option(help="Each so often; the median counts.")] = 5,
    seconds: Annotated[float, typer.Option(help="How long a round counts.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    with _folder(peer) as folder:
        python = _installed(folder)
        found = list(figures(python, rounds, seconds))
    show("working_time", f"{rounds} rounds of {seconds:g} s", found, as_json=as_json)


def figures(python: Path, rounds: int, seconds: float) -> Iterator[Figure]:
    """Measure both, in turn; `python` is of the peer's environment."""
    random = Random(1)
    seconds_in = [random.randrange(10**7) for _ in range(QUESTIONS)]
    starts = [YEAR + timedelta(seconds=each) for each in seconds_in]
    for name, closed in CALENDARS.items():
        done = [
            (_theirs(python, closed, starts, seconds), _ours(closed, starts, seconds))
            for _ in range(rounds)
        ]
        theirs, ours = done[0]
        first_ms = min(each["first_ms"] for _, each in done)
        for kind, what in WHATS.items():
            assert ours[kind] == theirs[kind], f"they do not agree on what is {kind}"
            rate = f"{kind}_a_second"
            yield median_of(
                f"{what}, {name}",
                [each[rate] for _, each in done],
                "/s",
                bound=median([each[rate] for each, _ in done]),
                beside="businesstimedelta 1.0.1",
                note=f"aimed at {AIM} ×; the first took {first_ms:.1f} ms",
            )


def _ours(
    closed: Sequence[str], starts: Sequence[datetime], seconds: float
) -> Mapping[str, Any]:
    weekly_hours = {"mon-fri": [f"{OPENS:02d}:00-{CLOSES:02d}:00"]}
    calendar = {"timezone": ZONE, "weekly_hours": weekly_hours, "holidays": closed}
    hours = hours_of(Calendar.model_validate(calendar))
    promise, span = DUE_HOURS * 3_600, timedelta(days=ELAPSED_DAYS)

    def due_of(start: datetime) -> datetime:
        return due(hours, start, promise)

    def elapsed_of(start: datetime) -> int:
        return elapsed(hours, start, start + span)

    stretch.cache_clear()
    began = perf_counter()
    due_of(starts[0])
    first_ms = 1_000 * (perf_counter() - began)
    return {
        "first_ms": first_ms,
        "due": [due_of(each).timestamp() for each in starts],
        "elapsed": [elapsed_of(each) for each in starts],
        "due_a_second": a_second(due_of, list(starts), seconds),
        "elapsed_a_second": a_second(elapsed_of, list(starts), seconds),
    }


def _theirs(
    python: Path, closed: Sequence[str], starts: Sequence[datetime], seconds: float
) -> Mapping[str, Any]:
    asked = {
        "zone": ZONE,
        "opens": OPENS,
        "closes": CLOSES,
        "closed": closed,
        "due_hours": DUE_HOURS,
        "elapsed_days": ELAPSED_DAYS,
        "starts": [each.isoformat() for each in starts],
        "seconds": seconds,
    }
    command = [str(python), peer_working_time.__file__]
    answered = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    answers: Mapping[str, Any] = json.loads(answered.stdout)
    return answers


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="permanence-bench-") as folder:
        yield Path(folder)


def _installed(folder: Path) -> Path:
    """Return the interpreter of the peer's environment, created if it is missing."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["python3", "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return python


if __name__ == "__main__":
    typer.run(main)
