"""How fast a desk knows who is on call: 1,000 schedules of five layers.

`python -m bench.on_call [--schedules N] [--rounds N] [--json]`. Each schedule has its
own rotations, hours, overrides and an absence, in zones whose clocks change. Every
round asks each of them who is on call at an instant, and for its shifts of 90 days.
The bound is the fastest that the same program computes one rotation and nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Annotated, Any

import typer

from bench.figure import Figure, median_of, show
from shared.domain.on_call import (
    Absence,
    Override,
    Roster,
    first_instant,
    last_instant,
    on_call,
    shifts,
)
from shared.domain.policy.schedules import Layer

SCHEDULES = 1_000
PERIOD = timedelta(days=90)
START = datetime(2026, 2, 1, tzinfo=UTC)
ZONES = ("Europe/Paris", "America/Chicago", "Australia/Lord_Howe", "Africa/Cairo")
PEOPLE = [f"person-{n}" for n in range(12)]
Roles = Sequence[dict[str, Any]]


def main(
    schedules: Annotated[int, typer.Option(help="How many schedules.")] = SCHEDULES,
    rounds: Annotated[int, typer.Option(help="Each so often; the median counts.")] = 5,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    found = list(figures(schedules, rounds))
    show("on_call", f"{rounds} rounds", found, as_json=as_json)


def figures(schedules: int, rounds: int) -> Iterator[Figure]:
    """Measure all, in turn."""
    layered = [roster(n) for n in range(schedules)]
    plain = [Roster(each.timezone, each.layers[:1]) for each in layered]
    questions: dict[str, Callable[[Roster, datetime], object]] = {
        "who is on call": on_call,
        "shifts of 90 days": lambda each, at: list(shifts(each, at, at + PERIOD)),
    }
    for what, ask in questions.items():
        took: dict[str, list[float]] = {"layered": [], "plain": []}
        for turn in range(rounds):
            at = START + turn * timedelta(days=61, hours=5)
            took["layered"].append(_a_second(layered, ask, at))
            took["plain"].append(_a_second(plain, ask, at))
        yield median_of(
            f"{what}, five layers",
            took["layered"],
            "/s",
            bound=sorted(took["plain"])[rounds // 2],
            beside="one rotation and nothing else",
            note=f"{schedules:,} schedules",
        )


def _a_second(
    rosters: Sequence[Roster], ask: Callable[[Roster, datetime], object], at: datetime
) -> float:
    first_instant.cache_clear()
    last_instant.cache_clear()
    began = perf_counter()
    for number, each in enumerate(rosters):
        ask(each, at + number * timedelta(minutes=37))
    return len(rosters) / (perf_counter() - began)


def roster(number: int) -> Roster:
    """Return a schedule of five layers, unlike its neighbours."""
    people = [PEOPLE[(number + n) % len(PEOPLE)] for n in range(6)]
    start = f"2025-01-{number % 28 + 1:02}T{number % 24:02}:00"

    def rotation(kind: str, length: int, **more: object) -> dict[str, object]:
        turns = {"type": kind, "shift_length": length, "start": start}
        return {**turns, "participants": people, **more}

    working_days = ["MO", "TU", "WE", "TH", "FR"]
    layers: Roles = [
        {"rotation": rotation("weekly", 1)},
        {"rotation": rotation("daily", 1), "hours": {"mon-fri": ["08:00-18:00"]}},
        {
            "rotation": rotation(
                "daily", 1, by_day=working_days, shift_duration_hours=12
            ),
            "priority": 1,
        },
        {
            "rotation": rotation("weekly", 1),
            "hours": {"sat-sun": ["00:00-24:00"]},
            "priority": 1,
        },
        {
            "rotation": rotation("monthly", 1),
            "hours": {"mon": ["22:00-06:00"]},
            "priority": 2,
        },
    ]
    away = START + timedelta(days=number % 60)
    return Roster(
        ZONES[number % len(ZONES)],
        tuple(Layer.model_validate(layer) for layer in layers),
        (
            Override("replace", away, away + timedelta(days=1), people[1], people[0]),
            Override("add", away, away + timedelta(hours=8), people[5]),
        ),
        (Absence(people[2], away, away + timedelta(days=14)),),
    )


if __name__ == "__main__":
    typer.run(main)
