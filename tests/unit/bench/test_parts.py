"""What is measured by name, and how its figures are shown."""

from inspect import signature
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.__main__ import PARTS, QUICK, USUAL
from bench.figure import WIDTH, median_of, table_of

PAGE = Path(__file__).parents[3] / "docs/reference/performance.md"


@pytest.mark.parametrize("name", PARTS)
def test_a_part_can_be_measured_sooner_and_is_on_the_page(name: str) -> None:
    part = PARTS[name]
    for given in (part.usual, part.quick):
        signature(part.measure).bind(as_json=True, **given)

    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")


def test_what_is_measured_without_a_name_are_parts() -> None:
    assert {*USUAL, *QUICK} <= set(PARTS)


def test_a_table_fits_a_hundred_columns_and_names_the_bound() -> None:
    figure = median_of(
        "promised and followed by all, drain included",
        [640.2, 655.0, 601.0],
        "/s",
        bound=1_764.0,
        beside="accepted in the same run, all services running",
        note="intake 460, PostgreSQL 87, nats-server 50, all others 900 µs",
    )
    console = Console(width=2 * WIDTH, file=StringIO(), record=True)
    console.print(table_of("visible: how much is seen", [figure]))
    lines = console.export_text().splitlines()

    assert max(map(len, lines)) <= WIDTH
    assert any("640 /s" in line and "601 – 655" in line for line in lines)
    assert any("0.36 × 1,764 /s" in line for line in lines)
