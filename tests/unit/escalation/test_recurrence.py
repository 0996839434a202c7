"""Incidents of one kind, too many for chance, suggest a problem: once for each row."""

from typing import Any

import pytest

from services.escalation.rules.recurrence import signature_of
from shared.domain.events.event import FORGOTTEN
from shared.domain.events.incident import IncidentOpened
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, VALMONT, local

ROW = ("INC-000002", "INC-000005", INCIDENT)
SIGNAL: dict[str, Any] = {
    "origin": "monitoring",
    "reporter": None,
    "source": "zabbix",
    "service": "vpn",
}


def opened(**words: Any) -> IncidentOpened:
    usual = {
        "incident": INCIDENT,
        "at": local("11:02"),
        "by": "source:zabbix",
        "policy": 1,
        "origin": "monitoring",
        "source": "zabbix",
        "title": "vpn: tunnel 3 is down",
        "service": "vpn",
        "impact": "medium",
        "urgency": "medium",
        "priority": "p3",
        "team": "desk",
        "reported_at": local("11:02"),
    }
    return IncidentOpened(**(usual | words))


def alike(**words: Any) -> bool:
    return signature_of(opened()) == signature_of(opened(**words)) is not None


def test_the_one_that_completes_the_row_suggests_a_problem_with_the_list() -> None:
    search = Search(alike={INCIDENT: ROW})

    said = search.opened("11:02", **SIGNAL)

    assert f"suggested to problem: {'+'.join(ROW)}" in said
    assert "suggestion → helene" in said


def test_what_happens_later_suggests_nothing_more() -> None:
    search = Search(alike={INCIDENT: ROW})
    search.opened("11:02", **SIGNAL)
    search.passes("18:00")
    search.breached("18:30")

    said = [each for each in search.said if each.type.endswith("problem_suggested")]
    assert len(said) == 1


def test_without_a_row_nothing_is_suggested() -> None:
    assert not any("suggest" in each for each in Search().opened("11:02", **SIGNAL))


def test_nor_where_the_policy_wants_none() -> None:
    assert VALMONT.problems is not None
    silent = VALMONT.problems.model_copy(update={"suggest": None})
    policy = VALMONT.model_copy(update={"problems": silent})
    search = Search(policy, alike={INCIDENT: ROW})

    assert not any("suggest" in each for each in search.opened("11:02", **SIGNAL))


@pytest.mark.parametrize(
    "words",
    [
        {"title": "vpn: tunnel 4 is down"},
        {"title": "VPN:  tunnel 10.0.0.3 is DOWN"},
        {"severity": "critical", "priority": "p1", "dedup_key": "another"},
    ],
)
def test_of_one_kind_is_what_says_the_same_but_for_numbers(words: Any) -> None:
    assert alike(**words)


@pytest.mark.parametrize(
    "words",
    [{"service": "paie"}, {"source": "prometheus"}, {"title": "vpn: no licence"}],
)
def test_of_another_kind_is_what_says_something_else(words: Any) -> None:
    assert not alike(**words)


def test_what_people_report_is_of_one_kind_by_service_and_category() -> None:
    said: dict[str, Any] = {"origin": "user", "source": None, "reporter": "roche"}
    network = signature_of(opened(**said, category="network", title="No tunnel"))

    assert network == signature_of(opened(**said, category="network", title="Slow"))
    assert network != signature_of(opened(**said, category="access", title="Slow"))
    assert signature_of(opened(**said)) is None


def test_of_forgotten_words_nobody_tells_a_kind() -> None:
    assert signature_of(opened(title=FORGOTTEN)) is None
