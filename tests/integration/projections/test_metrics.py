"""Metrics over HTTP: what a month holds, in all, by parts and by groups."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.support.api import Api, problem
from tests.support.june import June, june

pytestmark = pytest.mark.servers

_ONE, _TWO, _THREE = "INC-000001", "INC-000002", "INC-000003"
_PROMISED = {
    "target": "ttr",
    "cycle": 1,
    "contract": "ville",
    "candidates": ("ville",),
    "calendar": "lisbonne",  # 08:00Z to 17:00Z in June, Monday to Friday
    "seconds": 28_800,
    "paused_by": ("user",),
}
_HOUR = 3_600


@pytest.fixture
def log(api: Api) -> Iterator[June]:
    month = June(api.database)
    with closing(month.log):
        month.applied()
        yield month


def _asked(api: Api, log: June, **given: Any) -> dict[str, Any]:
    period = {"from": "2025-06-01", "to": "2025-07-01"}
    return api.get("/v1/metrics", min_position=log.position, **{**period, **given})


def _figures(api: Api, log: June, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = _asked(api, log, **given)["figures"]
    return found


def _promise(log: June, ref: str, day: int, hour: int, **given: Any) -> None:
    at = june(day, hour)
    due = {"started_at": at, "due_at": june(day + 1, hour)}
    log.says(at, "sla.armed", ref, **{**_PROMISED, **due, **given})


def test_without_any_event_all_is_nothing_and_satisfaction_stands_first(
    api: Api, log: June
) -> None:
    answer = _asked(api, log, within=["1h", "8h"])

    assert next(iter(answer["figures"])) == "satisfaction"
    assert answer["figures"]["satisfaction"] == {
        "share": None,
        "n": 0,
        "response_rate": None,
        "note": "comes with the surveys",
    }
    assert answer["zone"] == "Europe/Brussels"
    assert answer["from"] == "2025-05-31T22:00:00Z"
    assert answer["to"] == "2025-06-30T22:00:00Z"
    assert answer["complete"] is True
    assert answer["as_of"]["position"] == log.position
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


def test_the_balance_of_a_month_and_of_each_week_is_true(api: Api, log: June) -> None:
    log.opens(june(1, 8), _ONE)
    log.opens(june(3, 8), _TWO)
    log.opens(june(3, 9), _THREE, origin="split")
    log.says(june(4, 8), "incident.closed", _ONE)
    log.says(june(10, 8), "incident.merged", _TWO, into=_THREE)
    log.says(june(11, 8), "incident.reopened", _ONE, **_REOPENED, after_closure=True)
    log.says(june(12, 8), "incident.unmerged", _TWO, out_of=_THREE, signals={})
    log.says(june(13, 8), "incident.cancelled", _TWO, reason="duplicate")
    log.says(june(14, 8), "incident.resolved", _ONE, cycle=2)

    answer = _asked(api, log, every="week")

    assert answer["figures"]["balance"] == {
        "open_before": 0,
        "recorded": 2,
        "split": 1,
        "unmerged": 1,
        "reopened_after_closure": 1,
        "closed": 1,
        "cancelled": 1,
        "merged": 1,
        "open_at_end": 2,
        "awaiting_closure": 1,
    }
    weeks = [week["figures"]["balance"] for week in answer["periods"]]
    assert [week["open_before"] for week in weeks] == [0, 1, 2, 2, 2, 2]
    assert [week["open_at_end"] for week in weeks] == [1, 2, 2, 2, 2, 2]
    assert [week["awaiting_closure"] for week in weeks] == [0, 0, 1, 1, 1, 1]


_REOPENED = {"cycle": 2, "cause": "user"}


def test_resolving_is_measured_in_open_hours_of_all_cycles_without_pauses(
    api: Api, log: June
) -> None:
    log.opens(june(2, 8), _ONE)  # a Monday
    _promise(log, _ONE, 2, 8)
    log.says(june(2, 9), "incident.paused", _ONE, reason="user", question="Which?")
    log.says(june(2, 11), "incident.resumed", _ONE, cause="reply")
    log.says(june(2, 12), "incident.paused", _ONE, reason="vendor")
    log.says(june(2, 13), "incident.resumed", _ONE, cause="agent")
    log.says(june(2, 14), "incident.resolved", _ONE, cycle=1)  # 6 h less 2
    log.says(june(3, 8), "incident.reopened", _ONE, **_REOPENED, after_closure=False)
    log.says(june(3, 20), "incident.resolved", _ONE, cycle=2)  # 9 h more, 12 by wall
    log.says(june(4, 8), "incident.closed", _ONE)

    found = _figures(api, log, within=["13h", "12h59m", "18h"])

    assert found["time_to_resolve"]["n"] == 1
    assert found["time_to_resolve"]["working_seconds"]["p50"] == 13 * _HOUR
    assert found["time_to_resolve"]["wall_clock_seconds"]["p50"] == 18 * _HOUR
    assert found["resolved_within"] == {
        "standing": 1,
        "within": [
            {"within": "12h59m", "working": 0, "wall_clock": 0},
            {"within": "13h", "working": 1, "wall_clock": 0},
            {"within": "18h", "working": 1, "wall_clock": 1},
        ],
    }
    assert found["reopened"] == {"reopens": 1, "resolutions": 2, "rate": 0.5}
    before = _figures(api, log, to="2025-06-03", within="4h")
    assert before["time_to_resolve"]["working_seconds"]["p50"] == 4 * _HOUR
    assert before["resolved_within"]["within"][0]["working"] == 1
    assert _figures(api, log, to="2025-06-03T10:00:00Z")["time_to_resolve"]["n"] == 0


def test_restoring_stops_counting_where_service_is_back(api: Api, log: June) -> None:
    log.opens(june(2, 8), _ONE)
    log.says(june(2, 9), "incident.restored", _ONE, workaround=True)
    log.says(june(2, 11), "incident.relapsed", _ONE)
    log.says(june(2, 12), "incident.restored", _ONE)
    log.says(june(2, 14), "incident.resolved", _ONE, cycle=1)

    found = _figures(api, log)

    assert found["time_to_restore"]["n"] == 1
    assert found["time_to_restore"]["working_seconds"]["p90"] == 2 * _HOUR
    assert found["time_to_resolve"]["working_seconds"]["p90"] == 6 * _HOUR


def test_half_are_taken_on_within_a_time_that_occurred(api: Api, log: June) -> None:
    refs = [f"INC-{number:06d}" for number in range(1, 5)]
    for ref in refs:
        log.opens(june(6, 16), ref)  # a Friday; the hours end at 17:00Z
        _promise(log, ref, 6, 16)
    log.says(june(6, 16, 10), "incident.acknowledged", refs[0])
    log.says(june(6, 16, 30), "incident.acknowledged", refs[1])
    log.says(june(9, 8, 15), "incident.acknowledged", refs[2])

    found = _figures(api, log)["time_to_acknowledge"]

    assert found["n"] == 3
    assert found["working_seconds"] == {"p50": 30 * 60, "p90": 75 * 60}
    assert found["wall_clock_seconds"]["p90"] == (64 * 60 + 15) * 60
    assert found["still_waiting"] == 1
    friday = _figures(api, log, to="2025-06-07")["time_to_acknowledge"]
    assert (friday["n"], friday["still_waiting"]) == (2, 2)


def test_a_clock_ends_once_and_a_breach_in_any_cycle_counts(
    api: Api, log: June
) -> None:
    log.opens(june(2, 8), _ONE)
    _promise(log, _ONE, 2, 8)
    ttr = {"target": "ttr", "cycle": 1}
    met = {"met_at": june(2, 9), "elapsed_seconds": 9, "seconds": 99}
    log.says(june(2, 9), "sla.met", _ONE, **ttr, **met)
    again = {"continued_at": june(2, 10), "due_at": june(3)}
    log.says(june(2, 10), "sla.continued", _ONE, cause="relapsed", **ttr, **again)
    nothing = _figures(api, log)["sla"]["ttr"]
    late = {
        "contract": "ville",
        "seconds": 9,
        "due_at": june(3),
        "breached_at": june(3),
    }
    log.says(june(3), "sla.breached", _ONE, **ttr, **late)
    log.says(june(3, 1), "sla.continued", _ONE, cause="relapsed", **ttr, **again)
    log.says(june(4), "sla.met", _ONE, target="ttr", cycle=2, **met)
    gone = {"cancelled_at": june(4), "reason": "recovered"}
    log.says(june(4), "sla.cancelled", _ONE, target="tto", cycle=2, **gone)

    found = _figures(api, log)["sla"]

    assert nothing["met"] == nothing["breached"] == 0
    assert nothing["share"] is None
    assert found["ttr"] == {
        "met": 1,
        "breached": 1,
        "cancelled": 0,
        "share": 0.5,
        "breached_by": {"user": 0, "vendor": 0, "provider": 0, "unattributed": 1},
    }
    assert (found["tto"]["cancelled"], found["tto"]["share"]) == (1, None)


_PHONE = {
    "person": "lefevre",
    "direction": "inbound",
    "channel": "phone",
    "contacted_at": june(2),
}


def test_who_reported_is_counted_once_and_at_the_first_contact(
    api: Api, log: June
) -> None:
    log.opens(june(2, 8), _ONE, origin="user", reporter="lefevre", category="billet")
    log.opens(june(2, 9), _TWO, origin="monitoring")
    log.opens(june(2, 10), _THREE, origin="monitoring")
    log.says(june(5, 8), "incident.contacted", _TWO, **_PHONE)
    log.says(june(6, 8), "incident.contacted", _TWO, **_PHONE)
    log.says(june(7, 8), "incident.merged", _ONE, into=_TWO)

    found = _asked(api, log, every="day")
    days = [day["figures"]["reported"] for day in found["periods"]]

    assert found["figures"]["reported"] == {
        "user_only": 1,
        "monitoring_then_user": 1,
        "monitoring_only": 1,
        "desk": 0,
        "by_category": [
            {"category": "billet", **_ways(user_only=1)},
            {"category": None, **_ways(monitoring_then_user=1, monitoring_only=1)},
        ],
    }
    assert days[1]["user_only"] == days[1]["monitoring_only"] == 1
    assert days[4]["monitoring_then_user"] == 1


def _ways(**given: int) -> dict[str, int]:
    ways = ("user_only", "monitoring_then_user", "monitoring_only", "desk")
    return {way: given.get(way, 0) for way in ways}


def test_contacts_are_answered_in_the_contracts_time_or_given_up(
    api: Api, log: June
) -> None:
    log.opens(june(2, 8), _ONE, origin="user", reporter="lefevre")
    _promise(log, _ONE, 2, 8)
    for waited in (20, 21, None):
        log.says(
            june(2, 9), "incident.contacted", _ONE, **_PHONE, waited_seconds=waited
        )
    gave_up = {"waited_seconds": 50, "abandoned": True}
    log.says(june(2, 10), "incident.contacted", _ONE, **_PHONE, **gave_up)
    mail = {**_PHONE, "channel": "email", "waited_seconds": 5}
    log.says(june(2, 11), "incident.contacted", _ONE, **mail)

    mails, calls = _figures(api, log)["answering"]

    assert calls == {
        "channel": "phone",
        "in_time": 1,
        "late": 1,
        "abandoned": 1,
        "without_target": 0,
        "unknown": 1,
        "share": 0.5,
    }
    assert (mails["without_target"], mails["share"]) == (1, None)


def test_the_first_contact_resolves_what_stays_resolved(api: Api, log: June) -> None:
    for ref in (_ONE, _TWO, _THREE):
        log.opens(june(2, 8), ref, origin="user", reporter="lefevre")
        log.says(june(2, 8), "incident.contacted", ref, **_PHONE)
    log.says(june(2, 9), "incident.assigned", _TWO, team="network")
    for ref in (_ONE, _TWO, _THREE):
        log.says(june(2, 10), "incident.resolved", ref, cycle=1)
    log.says(june(5, 8), "incident.reopened", _THREE, **_REOPENED, after_closure=False)

    found = _figures(api, log)["first_contact_resolution"]

    assert found == {
        "resolved_at_first_contact": 1,
        "n": 3,
        "share": 0.3333,
        "not_yet_known": 0,
    }


def test_problems_and_changes_count_where_incidents_led_to_them(
    api: Api, log: June
) -> None:
    log.opens(june(2, 8), _ONE)
    about = {"title": "Disk", "service": "portal", "team": "studies"}
    handed = {"service": "portal", "team": "studies", "cycle": 1}
    log.says(june(2, 8), "handover.requested", _ONE, **handed, breached_at=june(2, 8))
    led = {"origin": "incident", "incident": _ONE}
    log.says(june(3), "problem.identified", "PRB-000001", **about, **led)
    log.says(june(3), "problem.incident_linked", "PRB-000001", incident=_ONE)
    log.says(june(3), "problem.identified", "PRB-000002", **about, origin="staff")
    log.says(june(4), "change.requested", "CHG-000001", **about, incident=_ONE)
    through = {"problem": "PRB-000001"}
    log.says(june(4), "change.requested", "CHG-000002", **about, **through)
    alone = {"problem": "PRB-000002"}
    log.says(june(4), "change.requested", "CHG-000003", **about, **alone)
    for day in (5, 6):
        log.says(june(day), "change.planned", "CHG-000002", planned_for=june(20))
    log.says(june(7), "change.cancelled", "CHG-000001", reason="no money")
    log.says(june(7), "change.cancelled", "CHG-000003", reason="no money")

    found = _figures(api, log)

    assert found["problems"]["from_incidents"] == 1
    assert found["problems"]["found_by_staff"] == 1
    assert found["problems"]["handovers"]["requested"] == 1
    assert found["changes"] == {
        "requested": 2,
        "requested_directly": 1,
        "requested_through_problems": 1,
        "planned": 1,
        "cancelled": 1,
    }


def test_a_group_holds_what_is_known_now_and_its_balance_is_true(
    api: Api, log: June
) -> None:
    log.opens(june(2, 8), _ONE, service="portal")
    log.opens(june(2, 9), _TWO, service="portal")
    now = {"service": "payroll", "impact": "low", "urgency": "low", "priority": "p4"}
    log.says(june(3, 8), "incident.classified", _ONE, **now)
    log.says(june(4, 8), "incident.closed", _ONE)

    found = _asked(api, log, group_by="service", **{"from": "2025-06-04"})
    stocks = {
        group["name"]: (
            group["figures"]["balance"]["open_before"],
            group["figures"]["balance"]["closed"],
            group["figures"]["balance"]["open_at_end"],
        )
        for group in found["groups"]
    }

    assert stocks == {"payroll": (1, 1, 0), "portal": (1, 0, 1)}
    assert found["groups_left_off"] == 0


def test_a_period_that_is_not_over_says_so(api: Api, log: June) -> None:
    found = _asked(api, log, every="month", to="2199-01-01", **{"from": "2185-01-01"})

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
        ({"until": "2025-06-30"}, "until", "not permitted"),
    ],
)
def test_a_question_that_cannot_be_meant_is_told_what_to_do(
    shared_api: Api, given: dict[str, Any], named: str, sentence: str
) -> None:
    asked = {"from": "2025-06-01", "to": "2025-07-01", **given}
    answer = shared_api.call("GET", "/v1/metrics", params=asked)

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
    asked = {"from": "2025-06-01", "to": "2025-07-01"}

    assert (
        shared_api.call("GET", "/v1/metrics", who, params=asked).status_code == status
    )
    oncall = shared_api.call("GET", "/v1/oncall", who)
    assert oncall.status_code == (404 if status == 200 else status)
