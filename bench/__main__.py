"""`python -m bench [NAME …]`: runs measurements, each beside a bound of the same run.

Without a name it runs all of them, one after the other: about an hour on a quiet
machine. `--quick` is for trying the benchmarks, not for figures to be quoted.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from bench import (
    append,
    commands,
    list_page,
    listeners,
    memory,
    on_call,
    over_nats,
    paging,
    policy,
    rebuild,
    screens,
    signals,
    surveys,
    ticks,
    timers,
    visible,
    working_time,
)
from bench.figure import Figure, fdatasync_us, show
from tests.support.folders import reachable_folder

Figures = Callable[[int, float], Iterator[Figure]]
ON_A_DESK: Mapping[str, Figures] = {
    "signals": signals.figures,
    "over_nats": over_nats.figures,
    "visible": visible.figures,
    "commands": commands.figures,
}
BY_ITSELF: Mapping[str, Callable[..., None]] = {
    "append": append.main,
    "rebuild": rebuild.main,
    "list_page": list_page.main,
    "screens": screens.main,
    "listeners": listeners.main,
    "working_time": working_time.main,
    "on_call": on_call.main,
    "ticks": ticks.main,
    "timers": timers.main,
    "paging": paging.main,
    "memory": memory.main,
    "policy": policy.main,
    "surveys": surveys.main,
}
QUICK: Mapping[str, Mapping[str, Any]] = {
    "append": {"rounds": 1},
    "rebuild": {"events": 20_000, "rounds": 1},
    "list_page": {"incidents": [10_000]},
    "screens": {"incidents": [10_000], "requests": 20},
    "listeners": {"listeners": 100, "seconds": 5.0},
    "working_time": {"rounds": 2, "seconds": 0.5},
    "on_call": {"schedules": 50, "rounds": 1},
    "ticks": {"armed": [1_000, 10_000]},
    "timers": {"armed": 1_000, "near": 100, "window": 5},
    "paging": {"live": 100, "pages": 20, "window": 5},
    "memory": {"incidents": 1_000},
    "policy": {"rounds": 1},
    "surveys": {"invitations": 2_000, "answers": 200},
}
"""Arguments that make the standalone benchmarks smaller."""
NAMES = (*ON_A_DESK, *BY_ITSELF)


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join(NAMES)}; or all.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="Each so often; the median counts.")] = 5,
    seconds: Annotated[float, typer.Option(help="How long a round sends.")] = 6.0,
    quick: Annotated[bool, typer.Option("--quick", help="Two short rounds.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Run the named measurements, and print them."""
    unknown = set(names or ()) - set(NAMES)
    if unknown:
        raise typer.BadParameter(f"choose of {', '.join(NAMES)}")
    if quick:
        rounds, seconds = 2, 2.0
    with reachable_folder(on_disk=True) as folder:
        sync_us = fdatasync_us(folder)
    how = f"{rounds} rounds of {seconds:g} s, fdatasync {sync_us} µs"
    for name in names or NAMES:
        if name in BY_ITSELF:
            BY_ITSELF[name](as_json=as_json, **(QUICK[name] if quick else {}))
        else:
            show(name, how, list(ON_A_DESK[name](rounds, seconds)), as_json=as_json)


if __name__ == "__main__":
    typer.run(main)
