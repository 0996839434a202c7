"""The accessibility page and the statement count the same criteria."""

import re

from shared.web.accessibility import (
    ASSESSED_ON,
    CRITERIA_APPLICABLE,
    CRITERIA_MET,
)
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/reference/accessibility.md").read_text(encoding="utf-8")
IN_ALL = 106
"""The criteria of RGAA 4.1."""
_THEME = re.compile(
    r"^\| (\d+) \D+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE
)
_NOT_MET = re.compile(r"^\| ((?:\d+\.\d+(?:, )?)+) \|", re.MULTILINE)


def test_the_table_of_themes_gives_the_figures_of_the_statement() -> None:
    themes = [tuple(map(int, row)) for row in _THEME.findall(PAGE)]
    number, criteria, met, not_met, other = map(sum, zip(*themes, strict=True))

    assert number == sum(range(1, 14))
    assert criteria == met + not_met + other == IN_ALL
    assert (met, met + not_met) == (CRITERIA_MET, CRITERIA_APPLICABLE)
    day = f"{ASSESSED_ON.day} {ASSESSED_ON:%B %Y}"
    assert f"on {day}: {met} of the {met + not_met} criteria" in PAGE


def test_each_criterion_that_is_not_met_has_its_reason() -> None:
    themes = {int(row[0]): int(row[3]) for row in _THEME.findall(PAGE)}
    listed = [one for row in _NOT_MET.findall(PAGE) for one in row.split(", ")]
    of_theme = [int(each.partition(".")[0]) for each in listed]

    assert {theme: of_theme.count(theme) for theme in themes} == themes
