"""Metrics over HTTP: reports, contacts, what came of them, and groups."""

from datetime import datetime
from operator import itemgetter
from typing import Any

import pytest

from tests.support.builders.june_log import (
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


_PHONE = {
    "person": "lefevre",
    "direction": "inbound",
    "channel": "phone",
    "contacted_at": june(2),
}


def test_who_reported_is_counted_once_and_at_the_first_contact(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE, origin="user", reporter="lefevre", category="billet")
    month.opens(june(2, 9), TWO, origin="monitoring")
    month.opens(june(2, 10), THREE, origin="monitoring")
    month.says(june(5, 8), "incident.contacted", TWO, **_PHONE)
    month.says(june(6, 8), "incident.contacted", TWO, **_PHONE)
    month.says(june(7, 8), "incident.merged", ONE, into=TWO)

    found = asked(api, month, every="day")
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
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE, origin="user", reporter="lefevre")
    promise(month, ONE, 2, 8)
    for waited in (20, 21, None):
        month.says(
            june(2, 9), "incident.contacted", ONE, **_PHONE, waited_seconds=waited
        )
    gave_up = {"waited_seconds": 50, "abandoned": True}
    month.says(june(2, 10), "incident.contacted", ONE, **_PHONE, **gave_up)
    mail = {**_PHONE, "channel": "email", "waited_seconds": 5}
    month.says(june(2, 11), "incident.contacted", ONE, **mail)

    mails, calls = figures(api, month)["answering"]

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


def test_the_first_contact_resolves_what_stays_resolved(api: Api, month: June) -> None:
    for ref in (ONE, TWO, THREE):
        month.opens(june(2, 8), ref, origin="user", reporter="lefevre")
        month.says(june(2, 8), "incident.contacted", ref, **_PHONE)
    month.says(june(2, 9), "incident.assigned", TWO, team="network")
    for ref in (ONE, TWO, THREE):
        month.says(june(2, 10), "incident.resolved", ref, cycle=1)
    month.says(june(5, 8), "incident.reopened", THREE, **REOPENED, after_closure=False)

    found = figures(api, month)["first_contact_resolution"]

    assert found == {
        "resolved_at_first_contact": 1,
        "n": 3,
        "share": 0.3333,
        "not_yet_known": 0,
    }


@pytest.mark.parametrize(
    "again",
    [
        ("incident.contacted", june(2, 9), {"abandoned": True}),
        ("incident.contacted", june(3, 8), {}),
        ("incident.assigned", june(3, 8), {"team": "network"}),
    ],
    ids=["a call given up before", "a contact afterwards", "another team afterwards"],
)
def test_what_took_more_than_one_contact_was_not_resolved_at_the_first(
    api: Api, month: June, again: tuple[str, datetime, dict[str, Any]]
) -> None:
    type_, at, given = again
    more = {**_PHONE, **given} if type_ == "incident.contacted" else given
    steps = [(june(2, 8), "incident.contacted", _PHONE), (at, type_, more)]
    steps += [(june(2, 10), "incident.resolved", {"cycle": 1})]
    month.opens(june(2, 8), ONE, origin="user", reporter="lefevre")
    for when, what, about in sorted(steps, key=itemgetter(0)):
        month.says(when, what, ONE, **about)

    found = figures(api, month)["first_contact_resolution"]

    assert (found["resolved_at_first_contact"], found["n"]) == (0, 1)


def test_problems_and_changes_count_where_incidents_led_to_them(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE)
    about = {"title": "Disk", "service": "portal", "team": "studies"}
    handed = {"service": "portal", "team": "studies", "cycle": 1}
    month.says(june(2, 8), "handover.requested", ONE, **handed, breached_at=june(2, 8))
    led = {"origin": "incident", "incident": ONE}
    month.says(june(3), "problem.identified", "PRB-000001", **about, **led)
    month.says(june(3), "problem.incident_linked", "PRB-000001", incident=ONE)
    month.says(june(3), "problem.identified", "PRB-000002", **about, origin="staff")
    month.says(june(4), "change.requested", "CHG-000001", **about, incident=ONE)
    through = {"problem": "PRB-000001"}
    month.says(june(4), "change.requested", "CHG-000002", **about, **through)
    alone = {"problem": "PRB-000002"}
    month.says(june(4), "change.requested", "CHG-000003", **about, **alone)
    for day in (5, 6):
        month.says(june(day), "change.planned", "CHG-000002", planned_for=june(20))
    month.says(june(7), "change.cancelled", "CHG-000001", reason="no money")
    month.says(june(7), "change.cancelled", "CHG-000003", reason="no money")

    found = figures(api, month)

    assert figures(api, month, to="2025-06-06")["changes"]["planned"] == 1
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


def test_what_joined_to_be_confirmed_is_counted_apart_from_what_joined(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE)
    cause = {"problem": "PRB-000003"}
    unsure = {**cause, "matched": "service", "to_be_confirmed": True}
    month.says(june(2, 9), "handover.joined", ONE, **unsure)
    month.says(june(2, 9), "handover.joined", ONE, **cause)
    month.says(june(2, 9), "handover.reopened", ONE, **cause)
    month.says(june(2, 9), "handover.proposed", ONE, **cause)

    found = figures(api, month)["problems"]["handovers"]

    said = {how for how, n in found.items() if n}
    assert said == {"presumed", "joined", "reopened"}


def test_a_change_counts_once_it_is_linked_to_an_incident_and_no_longer_unlinked(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE)
    about = {"title": "Disk", "service": "portal", "team": "studies"}
    link = {"incident": ONE, "relation": "change"}
    month.says(june(3), "change.requested", "CHG-000001", **about)
    month.says(june(4), "change.planned", "CHG-000001", planned_for=june(20))
    month.says(june(5), "problem.identified", "PRB-000001", **about, origin="staff")
    month.says(june(6), "change.requested", "CHG-000002", **about)
    before = figures(api, month)["changes"]

    through = {"problem": "PRB-000001"}
    month.says(june(7), "change.problem_linked", "CHG-000002", **through)
    month.says(june(7), "change.incident_linked", "CHG-000001", **link)
    month.says(june(7), "problem.incident_linked", "PRB-000001", incident=ONE)
    linked = figures(api, month)["changes"]

    link_of = {"incident": ONE, "relation": "problem"}
    month.says(june(8), "change.incident_unlinked", "CHG-000001", **link)
    month.says(june(8), "change.problem_unlinked", "CHG-000002", **through)
    assert figures(api, month)["changes"]["requested"] == 0
    month.says(june(8), "problem.incident_unlinked", "PRB-000001", **link_of)
    assert (before["requested"], before["planned"]) == (0, 0)
    assert (linked["requested_directly"], linked["planned"]) == (1, 1)
    assert linked["requested_through_problems"] == 1
    assert figures(api, month)["changes"] == before


def test_a_workaround_that_passed_for_a_solution_is_counted(
    api: Api, month: June
) -> None:
    for hour, ref in enumerate((ONE, TWO, THREE), 8):
        month.opens(june(2, hour), ref)
    for hour, ref in enumerate((ONE, TWO, THREE), 8):
        left = {"cycle": 1, "root_cause_open": ref != THREE}
        month.says(june(3, hour), "incident.resolved", ref, **left)
    month.says(
        june(5, 8),
        "incident.reopened",
        ONE,
        **REOPENED,
        after_closure=False,
        quick_fix=True,
    )

    found = figures(api, month)["quick_fixes"]
    assert found == {"root_cause_open": 2, "reopened": 1}


def test_a_group_holds_what_is_known_now_and_its_balance_is_true(
    api: Api, month: June
) -> None:
    month.opens(june(2, 8), ONE, service="portal")
    month.opens(june(2, 9), TWO, service="portal")
    now = {"service": "payroll", "impact": "low", "urgency": "low", "priority": "p4"}
    month.says(june(3, 8), "incident.classified", ONE, **now)
    month.says(june(4, 8), "incident.closed", ONE)

    found = asked(api, month, group_by="service", **{"from": "2025-06-04"})
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
