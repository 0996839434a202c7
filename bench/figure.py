"""A figure, its bound in the same run, and the sync time of that run's disk."""

import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Literal

from rich.console import Console
from rich.table import Table

SYNCS = 200
SYNC_BYTES = 8_192

Unit = Literal["/s", "ms", "µs", "MB", "s", "%"]


@dataclass(frozen=True)
class Figure:
    """A result: the median of its rounds, and their range.

    `bound` is in the same unit and from the same run; `beside` names it.
    """

    what: str
    value: float
    unit: Unit
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    beside: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure divided by the bound; None without a bound."""
        return self.value / self.bound if self.bound else None


def median_of(  # a figure has that many parts
    what: str,
    rounds: Sequence[float],
    unit: Unit,
    *,
    bound: float | None = None,
    beside: str = "",
    note: str = "",
) -> Figure:
    """Return the figure of several rounds of one measurement."""
    return Figure(
        what,
        statistics.median(rounds),
        unit,
        min(rounds),
        max(rounds),
        bound,
        beside,
        note,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def fdatasync_us(folder: Path) -> float:
    """Return how long the disk takes to sync 8 KB, median of 200, in µs."""
    took = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(SYNC_BYTES))
            began = perf_counter()
            os.fdatasync(file.fileno())
            took.append(perf_counter() - began)
    return round(1_000_000 * statistics.median(took), 1)


def said(value: float | None) -> str:
    """Return a number with three significant digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


WIDTH = 100


def table_of(title: str, figures: Sequence[Figure]) -> Table:
    """Return figures as a table of `WIDTH` characters, each beside its bound."""
    table = Table(title=title, title_justify="left", width=WIDTH)
    for name in ("what", "median", "range", "compared with"):
        right = name in ("median", "range")
        table.add_column(name, justify="right" if right else "left")
    for f in figures:
        spread = "" if f.low == f.high else f"{said(f.low)} – {said(f.high)}"
        what = f"{f.what}\n  {f.note}" if f.note else f.what
        table.add_row(what, f"{said(f.value)} {f.unit}", spread, _compared(f))
    return table


def _compared(figure: Figure) -> str:
    if figure.ratio is None:
        return ""
    bound = f"{said(figure.bound)} {figure.unit}"
    return f"{figure.ratio:.2f} × {bound}: {figure.beside}"


def title_of(name: str, how: str) -> str:
    """Return what a part measures, as its module says, and how."""
    measures = (import_module(f"bench.{name}").__doc__ or "").partition("\n")[0]
    return f"{name}: {measures}\n{how}"


def show(name: str, how: str, figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print the figures of a part and how they were measured, or both as JSON."""
    if as_json:
        print(json.dumps({name: [asdict(each) for each in figures]}))
    else:
        Console(width=WIDTH).print(table_of(title_of(name, how), figures))
