"""A bar chart of figures side by side, as SVG, on a logarithmic scale.

Written by hand: it consists of rectangles and texts, and follows light and dark mode.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, log10
from pathlib import Path

from bench.figure import Figure, said

LABELS, BARS, VALUES = 290, 480, 90
"""Widths: the label, the longest bar, the number behind it."""
BAR, GAP = 18, 12
TOP = 60
_COLOURS = ("#0f766e", "#d97706", "#94a3b8")
_STYLE = """
text { font: 13px sans-serif; fill: #1e293b } .title { font-size: 16px }
line { stroke: #cbd5e1 }
@media (prefers-color-scheme: dark) { text { fill: #e2e8f0 } line { stroke: #475569 } }
"""


def chart(title: str, sides: Mapping[str, Sequence[Figure]], path: Path) -> None:
    """Write the figures of up to three sides to `path`, grouped by kind."""
    names = list(dict.fromkeys(each.what for side in sides.values() for each in side))
    most = max(each.value for side in sides.values() for each in side)
    decades = ceil(log10(most))
    body: list[str] = []
    y = float(TOP)
    for name in names:
        rows = [
            (colour, figure.value)
            for colour, figures in zip(_COLOURS, sides.values(), strict=False)
            for figure in figures
            if figure.what == name
        ]
        body += _group(name, rows, y, decades)
        y += len(rows) * BAR + GAP
    width, height = LABELS + BARS + VALUES, int(y + GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="0" y="18">{escape(title)}</text>',
        *_legend(sides),
        *_scale(decades, height),
        *body,
        "</svg>",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _legend(sides: Mapping[str, Sequence[Figure]]) -> Iterator[str]:
    x = 0
    for colour, side in zip(_COLOURS, sides, strict=False):
        yield f'<rect x="{x}" y="30" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 18}" y="41">{escape(side)}</text>'
        x += 40 + 8 * len(side)


def _scale(decades: int, height: int) -> Iterator[str]:
    for power in range(decades + 1):
        x = LABELS + BARS * power / decades
        yield f'<line x1="{x:.0f}" y1="{TOP - 8}" x2="{x:.0f}" y2="{height - GAP}"/>'


def _group(
    name: str, rows: Sequence[tuple[str, float]], y: float, decades: int
) -> Iterator[str]:
    yield f'<text x="0" y="{y + 13:.0f}">{escape(name)}</text>'
    for number, (colour, value) in enumerate(rows):
        top = y + number * BAR
        length = BARS * log10(max(1.0, value)) / decades
        yield (
            f'<rect x="{LABELS}" y="{top:.0f}" width="{length:.0f}" '
            f'height="{BAR - 4}" fill="{colour}"/>'
        )
        x = LABELS + length + 6
        yield f'<text x="{x:.0f}" y="{top + 12:.0f}">{said(value)}</text>'
