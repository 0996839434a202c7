"""Intake compared with its peers, in one run: a table and a chart.

`python -m bench.beside FOLDER` measures one after the other: Permanence (signals,
duplicates over NATS, a whole desk), Alerta 9.1 with its defaults and at its best, each
with two workers, and Alertmanager's API, which stores nothing. FOLDER is for Alerta.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import alerta, alertmanager, over_nats, signals, visible
from bench.chart import chart
from bench.figure import Figure, fdatasync_us, table_of
from bench.sending import sender_name
from tests.support.folders import reachable_folder

CHART = Path(__file__).parents[1] / "docs" / "reference" / "intake.svg"
OURS, ALERTA, BEST = "Permanence", "Alerta 9.1", "Alerta 9.1, PLUGINS=reject"
MEMORY = "Alertmanager API, in memory only"


def main(
    folder: Annotated[Path, typer.Argument(help="For Alerta's environment.")],
    rounds: int = 5,
    seconds: float = 6.0,
    svg: Annotated[Path, typer.Option(help="Where the chart goes.")] = CHART,
) -> None:
    """Measure all sides; print the table, write the chart."""
    with reachable_folder(on_disk=True) as home:
        sync_us = fdatasync_us(home)
    plain = list(alerta.figures(folder, rounds, seconds))
    best = list(alerta.figures(folder, rounds, seconds, **alerta.BEST))
    ours = _held(list(_ours(rounds, seconds)), plain)
    memory = list(alertmanager.figures(rounds, seconds))
    how = f"{rounds} rounds of {seconds:g} s by {sender_name()}, fdatasync {sync_us} µs"
    console = Console()
    for side, figures in (
        (OURS, ours),
        (ALERTA, plain),
        (BEST, best),
        (MEMORY, memory),
    ):
        console.print(table_of(f"{side}: {how}", figures))
    sides = {OURS: ours, ALERTA: plain, MEMORY: [_new(each) for each in memory]}
    chart("Signals a second (scale of powers of ten)", sides, svg)


def _ours(rounds: int, seconds: float) -> Iterator[Figure]:
    for figure in (
        *signals.figures(rounds, seconds),
        *over_nats.figures(rounds, seconds),
        *visible.figures(rounds, seconds),
    ):
        if figure.unit == "/s" and figure.what != signals.HTTP_ALONE:
            yield figure


def _held(ours: Sequence[Figure], peers: Sequence[Figure]) -> list[Figure]:
    """Return our figures, with the peer's figure of the same kind as the bound."""
    rates = {each.what.partition(",")[0]: each.value for each in peers}
    held = {}
    for figure in ours:
        kind = "duplicates" if figure.what.startswith("duplicates") else "new"
        held[figure.what] = replace(
            figure, bound=rates[kind], beside=f"{ALERTA}: {kind}, one a request"
        )
    return list(held.values())


def _new(figure: Figure) -> Figure:
    return replace(figure, what=f"new, {figure.what}")


if __name__ == "__main__":
    typer.run(main)
