"""Draws charts as SVG, each with a title and a description. Pure: numbers go in.

There are no scripts or style attributes, so the content security policy of the pages
allows it. Series differ by pattern, dash or shape as well as by colour. Beside each
chart the page has a table of the same numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

WIDTH = 340
HEIGHT = 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 336, 8, 130
_LABEL = 44
"""The width that a label beneath a column needs."""
_ROW = 30
"""The height of a horizontal bar with its label."""
_LISTED_MAX = 12
"""How many values a description lists."""


@dataclass(frozen=True)
class Series:
    """Values of one kind; None where there is nothing to divide by."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """What a chart shows. `name` is unique on the page; `text` writes a value."""

    name: str
    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    text: Callable[[float], str]
    ceiling: float | None = None
    """The value at the upper edge; None: the next round number."""

    @property
    def description(self) -> str:
        """The series in words: each value, or of many the least and the greatest."""
        return "; ".join(map(self._in_words, self.series))

    @property
    def rows(self) -> Sequence[tuple[str, Sequence[str]]]:
        """The values as rows of a table."""
        return [
            (label, [self.shown(each.values[n]) for each in self.series])
            for n, label in enumerate(self.labels)
        ]

    def shown(self, value: float | None) -> str:
        """Return a value in words, a dash for None."""
        return "–" if value is None else self.text(value)

    def _in_words(self, series: Series) -> str:
        pairs = zip(self.labels, series.values, strict=True)
        known = [(label, value) for label, value in pairs if value is not None]
        if len(known) > _LISTED_MAX:
            least, most = (f(known, key=lambda each: each[1]) for f in (min, max))
            known = [least, most]
        values = ", ".join(f"{label} {self.text(value)}" for label, value in known)
        return f"{series.name}: {values or '–'}"


def columns(chart: Chart) -> Markup:
    """Return a chart of columns, those of all series side by side."""
    return _svg(chart, HEIGHT, [*_grid(chart), *_labels(chart), *_columns(chart)])


def lines(chart: Chart) -> Markup:
    """Return a chart of lines with a mark at each value; a None interrupts the line."""
    return _svg(chart, HEIGHT, [*_grid(chart), *_labels(chart), *_lines(chart)])


def bars(chart: Chart) -> Markup:
    """Return horizontal bars, each below its label; the later series lie on the first.

    So the later ones must be parts of the first.
    """
    height = max(1, len(chart.labels)) * _ROW
    return _svg(chart, height, [*_bars(chart)])


def _svg(chart: Chart, height: int, shapes: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {} {}" '
        'aria-labelledby="{}-title {}-desc"><title id="{}-title">{}</title>'
        '<desc id="{}-desc">{}</desc>'
        '<pattern id="{}-pattern" width="5" height="5" patternUnits="userSpaceOnUse">'
        '<path class="pattern-line" d="M0 5 5 0"/></pattern>{}</svg>'
    ).format(
        *(WIDTH, height, chart.name, chart.name, chart.name, chart.title),
        *(chart.name, chart.description, chart.name, Markup("").join(shapes)),
    )


def _top(chart: Chart) -> float:
    """Return the value at the upper edge: 1, 2 or 5 times a power of ten."""
    if chart.ceiling is not None:
        return chart.ceiling
    most = max((v for each in chart.series for v in each.values if v), default=1.0)
    power = 10.0 ** floor(log10(most))
    return max(1.0, next(n * power for n in (1, 2, 5, 10) if n * power >= most))


def _y(chart: Chart, value: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * value / _top(chart), 1)


def _x(chart: Chart, number: int) -> float:
    """Return the middle of a place on the axis."""
    return round(_LEFT + _place(chart) * (number + 0.5), 1)


def _place(chart: Chart) -> float:
    return (_RIGHT - _LEFT) / max(1, len(chart.labels))


def _grid(chart: Chart) -> Iterator[Markup]:
    top = _top(chart)
    halves = (0.0, top / 2, top)
    for value in halves if chart.ceiling or top % 2 == 0 else (0.0, top):
        y = _y(chart, value)
        yield Markup('<path class="grid" d="M{} {}H{}"/>').format(_LEFT, y, _RIGHT)
        yield _text(_LEFT - 4, y + 3, "end", chart.text(value))


def _labels(chart: Chart) -> Iterator[Markup]:
    """Yield as many labels as there is room for, the first one always."""
    step = ceil(_LABEL / _place(chart))
    for number in range(0, len(chart.labels), step):
        x = max(_x(chart, number), _LABEL / 2)
        yield _text(x, _BOTTOM + 13, "middle", chart.labels[number])


def _columns(chart: Chart) -> Iterator[Markup]:
    width = _place(chart) * 0.8 / max(1, len(chart.series))
    for order, series in enumerate(chart.series):
        for number, value in enumerate(series.values):
            if not value:
                continue
            left = _x(chart, number) + (order - len(chart.series) / 2) * width
            y = _y(chart, value)
            place = (left, y, width, _BOTTOM - y)
            yield from _rect(chart, order, place)


def _bars(chart: Chart) -> Iterator[Markup]:
    top = max((v for each in chart.series for v in each.values if v), default=1.0)
    for number, (label, values) in enumerate(chart.rows):
        y = number * _ROW
        yield _text(0, y + 11, "start", label)
        yield _text(WIDTH, y + 11, "end", " / ".join(values))
        for order, series in enumerate(chart.series):
            if value := series.values[number]:
                yield from _rect(chart, order, (0, y + 16, WIDTH * value / top, 8))


def _rect(
    chart: Chart, order: int, place: tuple[float, float, float, float]
) -> Iterator[Markup]:
    """Yield a rectangle in the colour of its series, with the pattern of later ones."""
    x, y, width, height = (round(each, 1) for each in place)
    rect = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"{}/>')
    yield rect.format(f"series-{order + 1}", x, y, width, height, "")
    if order:
        fill = Markup(' fill="url(#{}-pattern)"').format(chart.name)
        yield rect.format("pattern", x, y, width, height, fill)


def _lines(chart: Chart) -> Iterator[Markup]:
    for order, series in enumerate(chart.series):
        kind = f"series-{order + 1}"
        path = "".join(_steps(chart, series))
        yield Markup('<path class="line {}" d="{}"/>').format(kind, path)
        for number, value in enumerate(series.values):
            if value is not None:
                yield _mark(kind, order, _x(chart, number), _y(chart, value))


def _steps(chart: Chart, series: Series) -> Iterator[str]:
    is_drawn = False
    for number, value in enumerate(series.values):
        if value is not None:
            command = "L" if is_drawn else "M"
            yield f"{command}{_x(chart, number)} {_y(chart, value)}"
        is_drawn = value is not None


def _mark(kind: str, order: int, x: float, y: float) -> Markup:
    """Return a circle for the first series, a square for the others."""
    if order:
        square = Markup('<rect class="{}" x="{}" y="{}" width="6" height="6"/>')
        return square.format(kind, round(x - 3, 1), round(y - 3, 1))
    return Markup('<circle class="{}" cx="{}" cy="{}" r="3"/>').format(kind, x, y)


def _text(x: float, y: float, anchor: str, words: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        round(x, 1), round(y, 1), anchor, words
    )
