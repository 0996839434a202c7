"""Asking for metrics: what is taken, what is not, and who may ask."""

from typing import Any

import pytest

from services.projections.api import metrics
from services.projections.generations import live
from services.projections.read_models import METRICS
from tests.support.builders.june_log import June, asked
from tests.support.desks.api import Api, problem

pytestmark = pytest.mark.servers


def test_a_period_that_is_not_over_says_so(api: Api, month: June) -> None:
    found = asked(api, month, every="month", to="2199-01-01", **{"from": "2185-01-01"})

    assert found["complete"] is False
    assert len(found["periods"]) == 168


@pytest.mark.parametrize(
    ("given", "named", "sentence"),
    [
        ({"to": "2025-06-01"}, "to", "later than `from`"),
        ({"to": "2025-05-01"}, "to", "later than `from`"),
        ({"to": "soon"}, "to", "write a day such as 2025-06-30"),
        ({"to": "2025-06-30T09:00"}, "to", "with its zone"),
        ({"to": "0001-01-01"}, "to", "choose a year"),
        ({"zone": "Europe/Atlantis"}, "zone", "Europe/Paris"),
        ({"zone": "../etc/passwd"}, "zone", "Europe/Paris"),
        ({"every": "hour"}, "every", "day"),
        ({"every": "day", "to": "2030-01-01"}, "every", "more than 400 parts"),
        ({"within": "a day"}, "within", "1h30m"),
        ({"within": ["1h"] * 11}, "within", "10"),
        ({"group_by": "agent"}, "group_by", "service"),
        ({"priority": "urgent"}, "priority", "p1"),
        ({"team": ""}, "team", "at least 1"),
        ({"until": "2025-06-30"}, "until", "not permitted"),
    ],
)
def test_a_question_that_cannot_be_meant_is_told_what_to_do(
    shared_api: Api, given: dict[str, Any], named: str, sentence: str
) -> None:
    question = {"from": "2025-06-01", "to": "2025-07-01", **given}
    answer = shared_api.call("GET", "/v1/metrics", params=question)

    details = problem(answer, 422)
    assert sentence in str(details["detail"])
    errors: Any = details["errors"]
    assert errors[0]["loc"][:2] == ["query", named]


@pytest.mark.parametrize(
    ("who", "status"), [("agent", 200), ("auditor", 200), ("source", 403), (None, 401)]
)
def test_who_may_read_queues_may_read_metrics(
    shared_api: Api, who: str | None, status: int
) -> None:
    question = {"from": "2025-06-01", "to": "2025-07-01"}

    found = shared_api.call("GET", "/v1/metrics", who, params=question)
    oncall = shared_api.call("GET", "/v1/oncall", who)

    assert found.status_code == status
    assert oncall.status_code == (404 if status == 200 else status)


def test_a_period_that_takes_too_long_is_given_up_with_what_to_do(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "STATEMENT_SECONDS_MAX", 0.1)
    question = {"from": "2025-06-01", "to": "2025-07-01"}
    with shared_api.log.transaction() as cursor:
        schema = live(cursor, METRICS).schema
        cursor.execute(f"LOCK TABLE {schema}.facts IN ACCESS EXCLUSIVE MODE")
        answer = shared_api.call("GET", "/v1/metrics", params=question)

    details = problem(answer, 503)
    assert details["code"] == "too_slow"
    assert "shorter" in str(details["detail"])
