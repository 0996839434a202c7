"""Alert rules and board are well made, and each alert says what to do."""

import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Page
from tests.support.monitoring import RULES, Rule, names_in, panels, rules

PROMTOOL = shutil.which("promtool")
WHEN_THEY_FIRE = Path(__file__).with_name("alerts.test.yaml")

every_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert)
with_promtool = pytest.mark.skipif(
    PROMTOOL is None,
    reason="no promtool here: apt-get install prometheus (.ci/run does)",
)


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(PROMTOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@with_promtool
def test_prometheus_takes_the_rules_and_the_configuration() -> None:
    checked = promtool(
        "check", "config", "--lint=all", RULES.with_name("prometheus.yaml")
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(rules())} rules found" in checked.stdout + checked.stderr


@with_promtool
def test_each_alert_fires_when_it_should_and_not_before() -> None:
    tested = promtool("test", "rules", WHEN_THEY_FIRE)

    assert tested.returncode == 0, tested.stdout + tested.stderr


@every_rule
def test_somebody_tried_when_an_alert_fires(rule: Rule) -> None:
    tried = WHEN_THEY_FIRE.read_text(encoding="utf-8")

    assert f"alertname: {rule.alert}\n" in tried


@every_rule
def test_an_alert_says_what_is_wrong_and_where_it_is_told_what_to_do(
    rule: Rule,
) -> None:
    summary, description = (
        rule.annotations[name] for name in ("summary", "description")
    )
    place, _, anchor = rule.annotations["runbook_url"].partition("#")

    assert rule.severity in {"critical", "warning"}
    assert summary
    assert description.endswith(".")
    assert anchor == rule.alert.lower()
    assert anchor in Page(ROOT / place).anchors


def test_the_board_shows_each_number_with_its_meaning() -> None:
    shown = [panel for panel in panels() if panel["type"] != "row"]

    assert len({panel["id"] for panel in panels()}) == len(panels())
    assert all(panel["title"] and panel["description"] for panel in shown)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in shown)
    assert all(
        target["datasource"]["uid"] == "${datasource}"
        for panel in shown
        for target in panel["targets"]
    )


def test_no_panel_of_the_board_hides_another() -> None:
    for one, other in combinations([panel["gridPos"] for panel in panels()], 2):
        assert not _overlap(one, other), (one, other)


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    def meet(at: str, size: str) -> bool:
        return one[at] < other[at] + other[size] and other[at] < one[at] + one[size]

    return meet("x", "w") and meet("y", "h")


def test_the_metrics_of_a_query_are_found_whatever_stands_around_them() -> None:
    query = (
        'sum by (le, x) (rate(a_bucket{route!~"/b|c"}[5m])) / on () max(d * e)'
        " or predict_linear(f_bytes[6h], 3 * 24) < 0 and g == bool 0"
    )

    assert names_in(query) == {"a_bucket", "d", "e", "f_bytes", "g"}
