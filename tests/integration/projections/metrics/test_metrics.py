"""Metrics over HTTP: the stock, times and promises of a month."""

import pytest

from tests.support.builders.june_log import (
    HOUR,
    ONE,
    REOPENED,
    THREE,
    TWO,
    June,
    asked,
    figures,
    june,
    promise,
)
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers
FOUR = "INC-000004"


def test_without_any_event_all_is_nothing_and_satisfaction_stands_first(
    api: Api, month: June
) -> None:
    answer = asked(api, month, within=["1h", "8h"])

    assert next(iter(answer["figures"])) == "satisfaction"
    assert answer["figures"]["satisfaction"] == {
        "share": None,
        "n": 0,
        "invited": 0,
        "responded": 0,
        "response_rate": None,
        "note": None,
    }
    assert answer["zone"] == "Europe/Brussels"
    assert answer["from"] == "2025-05-31T22:00:00Z"
    assert answer["to"] == "2025-06-30T22:00:00Z"
    assert answer["complete"] is True
    assert answer["as_of"]["position"] == month.position
    assert set(answer["definitions"]) == set(answer["figures"])
    assert answer["figures"]["time_to_resolve"] == {
        "n": 0,
        "working_seconds": {"p50": None, "p90": None},
        "wall_clock_seconds": {"p50": None, "p90": None},
    }
    assert answer["figures"]["resolved_within"]["within"] == [
        {"within": "1h", "working": 0, "wall_clock": 0},
        {"within": "8h", "working": 0, "wall_clock": 0},
    ]


def test_the_balance_of_a_month_and_of_each_week_is_true(api: Api, month: June) -> None:
    month.opens(june(1, 8), ONE)
    month.opens(june(3, 8), TWO)
    month.opens(june(3, 9), THREE, origin="split")
    month.says(june(4, 8), "incident.closed", ONE)
    month.says(june(10, 8), "incident.merged", TWO, into=THREE)
    month.says(june(11, 8), "incident.reopened", ONE, **REOPENED, after_closure=True)
    month.says(june(12, 8), "incident.unmerged", TWO, out_of=THREE, signals={})
    month.says(june(13, 8), "incident.cancelled", TWO, reason="duplicate")
    month.says(june(14, 8), "incident.resolved", ONE, cycle=2)
    month.opens(june(15, 8), FOUR)
    month.says(june(15, 9), "incident.redirected", FOUR, to="rh", message="Plus loin")

    answer = asked(api, month, every="week")

    assert answer["figures"]["balance"] == {
        "open_before": 0,
        "recorded": 3,
        "split": 1,
        "unmerged": 1,
        "reopened_after_closure": 1,
        "closed": 1,
        "cancelled": 1,
        "redirected": 1,
        "merged": 1,
        "open_at_end": 2,
        "awaiting_closure": 1,
    }
    weeks = [week["figures"]["balance"] for week in answer["periods"]]
    assert [week["open_before"] for week in weeks] == [0, 1, 2, 2, 2, 2]
    assert [week["open_at_end"] for week in weeks] == [1, 2, 2, 2, 2, 2]
    assert [week["awaiting_closure"] for week in weeks] == [0, 0, 1, 1, 1, 1]


def test_the_backlog_is_as_old_as_its_incidents_at_the_end_of_the_period(
    api: Api, month: June
) -> None:
    month.opens(june(1, 8), ONE)
    month.says(june(2, 8), "incident.closed", ONE)
    month.opens(june(5, 8), TWO)
    month.says(june(9, 8), "incident.reopened", ONE, **REOPENED, after_closure=True)
    month.opens(june(9, 20), THREE)
    until = {"to": "2025-06-10T08:00:00Z"}

    whole = figures(api, month, **until)["backlog_age"]
    (group,) = asked(api, month, **until, group_by="priority")["groups"]
    later = figures(api, month)["backlog_age"]

    bands = ["0-1", "1-3", "3-7", "7-14", "14-30", "30+"]
    assert [each["age"] for each in whole] == bands
    assert [each["n"] for each in whole] == [1, 0, 1, 1, 0, 0]
    assert group["figures"]["backlog_age"] == whole
    assert [each["n"] for each in later] == [0, 0, 0, 0, 3, 0]


def test_what_happens_at_the_first_instant_is_in_and_at_the_last_is_not(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE)
    month.opens(june(2, 8), TWO)
    month.says(june(3, 8), "incident.closed", ONE)
    first, last = "2025-06-02T08:00:00Z", "2025-06-03T08:00:00Z"

    here = figures(api, month, **{"from": first, "to": last})["balance"]
    after = figures(api, month, **{"from": last})["balance"]

    assert (here["open_before"], here["recorded"], here["closed"]) == (0, 2, 0)
    assert (after["open_before"], after["recorded"], after["closed"]) == (2, 0, 1)
    assert (here["open_at_end"], after["open_at_end"]) == (2, 1)


def test_resolving_is_measured_in_open_hours_of_all_cycles_without_pauses(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE)  # a Monday
    promise(month, ONE, 2, 8)
    month.says(june(2, 9), "incident.paused", ONE, reason="user", question="Which?")
    month.says(june(2, 11), "incident.resumed", ONE, cause="reply")
    month.says(june(2, 12), "incident.paused", ONE, reason="vendor")
    month.says(june(2, 13), "incident.resumed", ONE, cause="agent")
    month.says(june(2, 14), "incident.resolved", ONE, cycle=1)  # 6 h less 2
    month.says(june(3, 8), "incident.reopened", ONE, **REOPENED, after_closure=False)
    month.says(june(3, 20), "incident.resolved", ONE, cycle=2)  # 9 h more, 12 by wall
    month.says(june(4, 8), "incident.closed", ONE)

    found = figures(api, month, within=["13h", "12h59m", "18h"])

    assert found["time_to_resolve"]["n"] == 1
    assert found["time_to_resolve"]["working_seconds"]["p50"] == 13 * HOUR
    assert found["time_to_resolve"]["wall_clock_seconds"]["p50"] == 18 * HOUR
    assert found["resolved_within"] == {
        "standing": 1,
        "within": [
            {"within": "12h59m", "working": 0, "wall_clock": 0},
            {"within": "13h", "working": 1, "wall_clock": 0},
            {"within": "18h", "working": 1, "wall_clock": 1},
        ],
    }
    assert found["reopened"] == {"reopens": 1, "resolutions": 2, "rate": 0.5}
    before = figures(api, month, to="2025-06-03", within="4h")
    assert before["time_to_resolve"]["working_seconds"]["p50"] == 4 * HOUR
    assert before["resolved_within"]["within"][0]["working"] == 1
    assert figures(api, month, to="2025-06-03T10:00:00Z")["time_to_resolve"]["n"] == 0


def test_restoring_stops_counting_where_service_is_back(api: Api, month: June) -> None:
    month.opens(june(2, 8), ONE)
    month.says(june(2, 9), "incident.restored", ONE, workaround=True)
    month.says(june(2, 11), "incident.relapsed", ONE)
    month.says(june(2, 12), "incident.restored", ONE)
    month.says(june(2, 14), "incident.resolved", ONE, cycle=1)

    found = figures(api, month)

    assert found["time_to_restore"]["n"] == 1
    assert found["time_to_restore"]["working_seconds"]["p90"] == 2 * HOUR
    assert found["time_to_resolve"]["working_seconds"]["p90"] == 6 * HOUR


def test_half_are_taken_on_within_a_time_that_occurred(api: Api, month: June) -> None:
    refs = [f"INC-{number:06d}" for number in range(1, 5)]
    for ref in refs:
        month.opens(june(6, 16), ref)  # a Friday; the hours end at 17:00Z
        promise(month, ref, 6, 16)
    month.says(june(6, 16, 10), "incident.acknowledged", refs[0])
    month.says(june(6, 16, 30), "incident.acknowledged", refs[1])
    month.says(june(9, 8, 15), "incident.acknowledged", refs[2])
    month.says(june(10), "incident.resolved", refs[0], cycle=1)
    month.says(june(11), "incident.reopened", refs[0], **REOPENED, after_closure=False)
    month.says(june(12), "incident.acknowledged", refs[0])

    found = figures(api, month)["time_to_acknowledge"]

    assert found["n"] == 3
    assert found["working_seconds"] == {"p50": 30 * 60, "p90": 75 * 60}
    assert found["wall_clock_seconds"]["p90"] == (64 * 60 + 15) * 60
    assert found["still_waiting"] == 1
    friday = figures(api, month, to="2025-06-07")["time_to_acknowledge"]
    assert (friday["n"], friday["still_waiting"]) == (2, 2)


def test_a_clock_ends_once_and_a_breach_in_any_cycle_counts(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE)
    promise(month, ONE, 2, 8)
    ttr = {"target": "ttr", "cycle": 1}
    met = {"met_at": june(2, 9), "elapsed_seconds": 9, "seconds": 99}
    month.says(june(2, 9), "sla.met", ONE, **ttr, **met)
    again = {"continued_at": june(2, 10), "due_at": june(3)}
    month.says(june(2, 10), "sla.continued", ONE, cause="relapsed", **ttr, **again)
    nothing = figures(api, month)["sla"]["ttr"]
    late = {
        "contract": "ville",
        "seconds": 9,
        "due_at": june(3),
        "breached_at": june(3),
    }
    month.says(june(3), "sla.breached", ONE, **ttr, **late)
    month.says(june(3, 1), "sla.continued", ONE, cause="relapsed", **ttr, **again)
    month.says(june(4), "sla.met", ONE, target="ttr", cycle=2, **met)
    gone = {"cancelled_at": june(4), "reason": "recovered"}
    month.says(june(4), "sla.cancelled", ONE, target="tto", cycle=2, **gone)

    found = figures(api, month)["sla"]

    assert nothing["met"] == nothing["breached"] == 0
    assert nothing["share"] is None
    assert found["ttr"] == {
        "met": 1,
        "met_after_extension": 0,
        "breached": 1,
        "done_as_agreed": 0,
        "cancelled": 0,
        "share": 0.5,
        "against_original": 0.5,
        "against_agreed": 0.5,
        "breached_by": {"user": 0, "vendor": 0, "provider": 0, "unattributed": 1},
    }
    assert (found["tto"]["cancelled"], found["tto"]["share"]) == (1, None)


def test_reopened_it_is_the_first_level_that_consumes(api: Api, month: June) -> None:
    month.opens(june(2, 8), ONE)
    promise(month, ONE, 2, 8)
    climbs = {"cycle": 1, "from_level": "n1", "to_level": "n2", "team": "exploitation"}
    climbs |= {"cause": "dwell", "escalated_at": june(2, 9)}
    month.says(june(2, 9), "escalation.escalated", ONE, **climbs)
    month.says(june(2, 11), "incident.resolved", ONE, cycle=1)
    again = {"cycle": 2, "cause": "user", "after_closure": False}
    month.says(june(2, 12), "incident.reopened", ONE, **again)
    month.says(june(2, 15), "incident.resolved", ONE, cycle=2)
    met = {"met_at": june(2, 15), "elapsed_seconds": 6 * HOUR, "seconds": 8 * HOUR}
    month.says(june(2, 15), "sla.met", ONE, target="ttr", cycle=2, **met)

    dwell = figures(api, month)["dwell"]

    assert {level: dwell[level]["total"] // HOUR for level in dwell} == {
        "n1": 4,
        "n2": 2,
    }


def test_what_support_levels_owe_is_in_no_number_of_what_users_are_promised(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE)
    own, work = ({"target": f"ola_n2_{what}", "cycle": 1} for what in ("own", "work"))
    met = {"met_at": june(2, 9), "elapsed_seconds": 9, "seconds": 99}
    gone = {"cancelled_at": june(4), "reason": "escalated"}
    late = {
        "contract": "ville",
        "seconds": 9,
        "due_at": june(3),
        "breached_at": june(3),
    }
    month.says(june(2, 9), "sla.met", ONE, **own, **met)
    month.says(june(2, 9), "sla.cancelled", ONE, target="ola_n3_own", cycle=1, **gone)
    month.says(june(3), "sla.breached", ONE, **work, **late)
    again = {"done_at": june(4), "elapsed_seconds": 20, "overrun_seconds": 11}
    month.says(june(4), "sla.overran", ONE, **work, **again)

    found = figures(api, month)

    assert found["ola"] == {
        "n2_own": {"met": 1, "breached": 0, "cancelled": 0, "share": 1.0},
        "n2_work": {"met": 0, "breached": 1, "cancelled": 0, "share": 0.0},
        "n3_own": {"met": 0, "breached": 0, "cancelled": 1, "share": None},
    }
    for target in ("tto", "ttr", "update"):
        kept = found["sla"][target]
        assert (kept["met"], kept["breached"], kept["cancelled"]) == (0, 0, 0)


def test_levels_share_what_was_consumed_and_pauses_are_nobodys(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE)
    promise(month, ONE, 2, 8)
    month.says(june(2, 9), "incident.paused", ONE, reason="user", question="Which?")
    climbs = {"cycle": 1, "from_level": "n1", "to_level": "n2", "team": "exploitation"}
    climbs |= {"cause": "dwell"}
    first, again = ({"escalated_at": june(2, hour)} for hour in (10, 13))
    month.says(june(2, 10), "escalation.escalated", ONE, **climbs, **first)
    month.says(june(2, 11), "incident.resumed", ONE, cause="reply")
    back = {"cycle": 1, "from_level": "n2", "to_level": "n1", "team": "desk"}
    month.says(june(2, 12), "escalation.returned", ONE, **back, returned_at=june(2, 12))
    month.says(june(2, 13), "escalation.escalated", ONE, **climbs, **again)
    month.says(june(2, 14), "incident.restored", ONE)
    month.says(june(2, 15), "incident.relapsed", ONE)
    month.says(june(2, 16), "incident.restored", ONE)
    late = {"done_at": june(2, 16), "elapsed_seconds": 5 * HOUR, "overrun_seconds": 9}
    month.says(june(2, 16), "sla.overran", ONE, target="ttr", cycle=1, **late)

    found = figures(api, month)
    assert found["ping_pong"] == {"returns": 2}
    assert found["dwell"] == {
        "n1": {"n": 1, "p50": 2 * HOUR, "p95": 2 * HOUR, "total": 2 * HOUR},
        "n2": {"n": 1, "p50": 3 * HOUR, "p95": 3 * HOUR, "total": 3 * HOUR},
    }
