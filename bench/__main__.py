"""`python -m bench [NAME …]`: runs measurements, each beside a bound of the same run.

Without a name it measures in ten minutes how fast a desk takes, shows and decides.
`--quick` takes a minute, to see that all is well: its figures are not to be quoted.
`--thorough` takes an hour for everything, as in `docs/reference/performance.md`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
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

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A measurement, and its arguments to be done sooner than with its defaults."""

    measure: Callable[..., None]
    usual: Arguments = field(default_factory=dict)
    quick: Arguments = field(default_factory=dict)


def _on_a_desk(
    name: str,
    figures: Callable[..., Iterator[Figure]],
    *,
    as_json: bool,
    rounds: int = 5,
    seconds: float = 6.0,
    **narrowed: object,
) -> None:
    with reachable_folder(on_disk=True) as folder:
        sync_us = fdatasync_us(folder)
    how = f"{rounds} rounds of {seconds:g} s, fdatasync {sync_us} µs"
    show(name, how, list(figures(rounds, seconds, **narrowed)), as_json=as_json)


SHORT = {"rounds": 2, "seconds": 3.0}
AT_ONCE = {"rounds": 1, "seconds": 1.0}
PARTS: Mapping[str, Part] = {
    "signals": Part(partial(_on_a_desk, "signals", signals.figures), SHORT, AT_ONCE),
    "over_nats": Part(
        partial(_on_a_desk, "over_nats", over_nats.figures), SHORT, AT_ONCE
    ),
    "visible": Part(
        partial(_on_a_desk, "visible", visible.figures),
        {**SHORT, "kinds": visible.OVER_HTTP},
        {**AT_ONCE, "kinds": visible.OVER_HTTP},
    ),
    "commands": Part(partial(_on_a_desk, "commands", commands.figures), SHORT, AT_ONCE),
    "append": Part(append.main, {"rounds": 1}, {"rounds": 1}),
    "rebuild": Part(
        rebuild.main,
        {"events": 100_000, "rounds": 1},
        {"events": 20_000, "rounds": 1},
    ),
    "list_page": Part(
        list_page.main, {"incidents": [10_000, 100_000]}, {"incidents": [10_000]}
    ),
    "screens": Part(
        screens.main,
        {"incidents": [10_000]},
        {"incidents": [10_000], "requests": 20},
    ),
    "listeners": Part(listeners.main, quick={"listeners": 100, "seconds": 5.0}),
    "working_time": Part(working_time.main, quick={"rounds": 2, "seconds": 0.5}),
    "on_call": Part(on_call.main, quick={"schedules": 50, "rounds": 1}),
    "ticks": Part(ticks.main, quick={"armed": [1_000, 10_000]}),
    "timers": Part(timers.main, quick={"armed": 1_000, "near": 100, "window": 5}),
    "paging": Part(paging.main, quick={"live": 100, "pages": 20, "window": 5}),
    "memory": Part(memory.main, quick={"incidents": 1_000}),
    "policy": Part(policy.main, quick={"rounds": 1}),
    "surveys": Part(surveys.main, quick={"invitations": 2_000, "answers": 200}),
}
USUAL = ("signals", "visible", "commands", "append", "rebuild", "list_page")
QUICK = ("visible", "commands")


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="In a minute.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="In an hour.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Run measurements, each beside its bound, and print them."""
    if unknown := set(names or ()) - set(PARTS):
        raise typer.BadParameter(f"{', '.join(unknown)}: choose of {', '.join(PARTS)}")
    if quick and thorough:
        raise typer.BadParameter("--quick or --thorough, not both")
    chosen = names or (QUICK if quick else PARTS if thorough else USUAL)
    for name in chosen:
        part = PARTS[name]
        given = part.quick if quick else {} if thorough else part.usual
        part.measure(as_json=as_json, **given)


if __name__ == "__main__":
    typer.run(main)
