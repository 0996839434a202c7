"""Charts as SVG: what is drawn, and what is said to those who do not see it."""

from collections.abc import Callable
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from services.projections.web.figures.charts import (
    HEIGHT,
    WIDTH,
    Chart,
    Series,
    bars,
    columns,
    lines,
)

Draw = Callable[[Chart], Markup]
_SVG = "{http://www.w3.org/2000/svg}"


def _chart(*values: list[float | None], ceiling: float | None = None) -> Chart:
    labels = [f"day {n + 1}" for n in range(len(values[0]))]
    series = [Series(f"series <{n}>", each) for n, each in enumerate(values)]
    return Chart("flow", "Per day & week", labels, series, "{:g}".format, ceiling)


def _shapes(svg: Markup, kind: str) -> list[dict[str, str]]:
    with_name = str(svg).replace("<svg ", f'<svg xmlns="{_SVG[1:-1]}" ', 1)
    found = ET.fromstring(with_name)  # noqa: S314 # our own
    return [
        {**each.attrib, "text": each.text or ""} for each in found.iter(_SVG + kind)
    ]


def _rects(svg: Markup) -> list[dict[str, str]]:
    return [each for each in _shapes(svg, "rect") if each["class"] != "pattern"]


@pytest.mark.parametrize("draw", [columns, lines, bars])
def test_a_chart_has_a_title_and_its_values_in_words(draw: Draw) -> None:
    svg = draw(_chart([3, None], [1, 2]))

    (root,) = _shapes(svg, "svg")
    assert (root["role"], root["aria-labelledby"]) == ("img", "flow-title flow-desc")
    assert [each["text"] for each in _shapes(svg, "title")] == ["Per day & week"]
    (description,) = _shapes(svg, "desc")
    assert description["text"] == "series <0>: day 1 3; series <1>: day 1 1, day 2 2"
    assert "style" not in svg
    assert "script" not in svg


def test_columns_are_as_high_as_their_values_and_stand_side_by_side() -> None:
    rects = _rects(columns(_chart([5, 0, 10], [10, 4, 0])))

    first = [each for each in rects if each["class"] == "series-1"]
    second = [each for each in rects if each["class"] == "series-2"]
    assert [float(each["height"]) for each in first] == [61.0, 122.0]
    assert [float(each["height"]) for each in second] == [122.0, 48.8]
    right_edge = float(first[0]["x"]) + float(first[0]["width"])
    assert right_edge == pytest.approx(float(second[0]["x"]), abs=0.2)


def test_series_differ_by_more_than_colour() -> None:
    chart = _chart([1, 2], [2, 1])

    patterns = [r for r in _shapes(columns(chart), "rect") if r["class"] == "pattern"]
    assert {each["fill"] for each in patterns} == {"url(#flow-pattern)"}
    assert len(_shapes(lines(chart), "circle")) == len(_rects(lines(chart))) == 2


def test_a_line_is_interrupted_where_there_is_nothing_to_divide_by() -> None:
    paths = _shapes(lines(_chart([0.5, None, 1.0, 0.75], ceiling=1.0)), "path")

    (line,) = [each["d"] for each in paths if each.get("class", "").startswith("line")]
    assert [line.count(each) for each in "ML"] == [2, 1]


@pytest.mark.parametrize(
    ("most", "top"), [(1, "1"), (2, "2"), (3, "5"), (7, "10"), (21, "50"), (100, "100")]
)
def test_the_axis_ends_at_a_round_number(most: float, top: str) -> None:
    texts = [each["text"] for each in _shapes(columns(_chart([most])), "text")]

    on_axis = [each for each in texts if not each.startswith("day")]
    assert on_axis[-1] == top


@pytest.mark.parametrize("number", [1, 12, 31, 400])
def test_everything_is_within_the_picture_and_labels_have_room(number: int) -> None:
    svg = columns(_chart([*map(float, range(number))]))

    for each in _rects(svg):
        assert 0 <= float(each["x"]) <= WIDTH - float(each["width"])
        assert 0 <= float(each["y"]) <= HEIGHT
    beneath = [each for each in _shapes(svg, "text") if each["text"].startswith("day")]
    places = [float(each["x"]) for each in beneath]
    assert all(right - left >= 40 for left, right in pairwise(places))


def test_of_many_values_the_least_and_the_greatest_are_said() -> None:
    chart = _chart([*map(float, range(31))])

    assert chart.description == "series <0>: day 1 0, day 31 30"
    assert len(chart.rows) == 31


@pytest.mark.parametrize("draw", [columns, lines, bars])
def test_a_chart_of_nothing_is_empty_and_no_error(draw: Draw) -> None:
    for chart in (_chart([]), _chart([None, None]), _chart([0, 0])):
        assert _rects(draw(chart)) == []
