"""Shifts of a calendar over HTTP: who may import, whom it names, where it may be."""

from typing import Any

import pytest

from services.intake.directory.store import import_people
from tests.support.builders.june_log import June
from tests.support.desks.api import Api, problem

pytestmark = pytest.mark.servers

PATH = "/v1/oncall/garde/calendar"
PERIOD = {"from": "2030-06-01", "to": "2030-07-01"}
FILE = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        *("BEGIN:VEVENT", "SUMMARY:Tariq B.", "DTSTART:20300603T180000Z"),
        *("DURATION:PT12H", "END:VEVENT"),
        *("BEGIN:VEVENT", "ATTENDEE:mailto:Ines@Example.org", "SUMMARY:Night"),
        *("DTSTART:20300604T180000Z", "DURATION:PT12H", "END:VEVENT"),
        "END:VCALENDAR",
        "",
    ]
)
PEOPLE = [
    {"id": "tariq", "name": "Tariq"},
    {"id": "ines", "name": "Inès", "email": "ines@example.org"},
]


def sent(api: Api, who: str = "manager", **body: Any) -> Any:
    return api.call("POST", PATH, who, json={**PERIOD, "text": FILE, **body})


def test_a_file_is_refused_until_each_name_in_it_is_a_person(
    api: Api, month: June
) -> None:
    with month.log.transaction() as cursor:
        import_people(cursor, PEOPLE, month.now)

    unknown = problem(sent(api), 422)
    plain = api.call(
        "POST",
        PATH,
        "manager",
        params={**PERIOD, "map": "Tariq B.=tariq"},
        content=FILE,
        headers={"Content-Type": "text/calendar"},
    )
    left_out = sent(api, people={"tariq b.": None})

    assert unknown["code"] == "unmatched_names"
    assert unknown["errors"] == [
        {"loc": ["file", 2], "msg": "Tariq B.", "type": "unmatched"}
    ]
    for answer in (plain, left_out):  # nobody takes commands here
        assert problem(answer, 503)["code"] == "owner_away"


@pytest.mark.parametrize(
    ("who", "body", "status", "code"),
    [
        ("agent", {}, 403, "role"),
        ("auditor", {}, 403, "scope"),
        ("manager", {"text": "hello"}, 422, "unusable_file"),
        ("manager", {"text": None}, 422, "invalid"),
        ("manager", {"url": "https://example.org/x.ics"}, 422, "invalid"),
        ("manager", {"to": "2030-06-01"}, 422, "invalid"),
        ("manager", {"to": "2032-06-01"}, 422, "invalid"),
        ("manager", {"from": "2031-06-01", "to": "2031-07-01"}, 422, "no_shifts"),
        ("manager", {"text": None, "url": "http://[::1]/"}, 422, "unusable_address"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_a_reason(
    shared_api: Api,
    shared_month: June,
    who: str,
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    del shared_month

    assert problem(sent(shared_api, who, **body), status)["code"] == code


def test_another_schedule_is_not_found(shared_api: Api, shared_month: June) -> None:
    del shared_month
    path = "/v1/oncall/nights/calendar"

    answer = shared_api.call("POST", path, "manager", json={**PERIOD, "text": FILE})

    problem(answer, 404)
