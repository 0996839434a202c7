"""While somebody is on the phone: who calls, and what helps or is known already."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.directory.store import import_people
from services.projections.api.callers import sight_of
from shared.domain import events
from shared.domain.limits import Limits, Place
from shared.security.access import Caller
from shared.security.rights import Grant
from tests.support.desks.api import Api, problem
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)
CITY = "ville-de-mons"
PEOPLE = [
    {
        "id": "costa",
        "name": "M. Costa",
        "email": "Costa@Valmont.example",
        "phone": "+33 4 75 00 00 01",
        "client": CITY,
    },
    {"id": "lecostal", "name": "Mme Lecostal", "client": "fret"},
    {"id": "roy_100", "name": "100 % Roy", "phone": "+33 4 75 99 00 02"},
]


@pytest.fixture(scope="module")
def told(shared_api: Api) -> Api:
    """Give an API with people, open incidents, a note and a problem's workaround."""
    api = shared_api
    with api.log.transaction() as cursor:
        import_people(cursor, PEOPLE, NOW)
    mine = {"reporter": "costa", "client": CITY, "service": "paie", "priority": "p3"}
    outage = {"reporter": None, "priority": "p1"}
    incidents = [
        opened("INC-000001", **mine | {"title": "Totals are wrong"}),
        opened("INC-000002", **mine | {"title": "Payroll is down"} | outage),
        opened("INC-000003", title="Printer jams", client="fret", service="print"),
    ]
    amina = "person:amina"
    common = {"at": NOW, "by": amina, "whose": amina, "policy": 1}
    note = {"incident": "INC-000003", "service": "print", "note": "Open the back cover"}
    api.happened(*incidents)
    last = api.happened(events.IncidentSolutionNoted(**common, **note))
    known = {
        "problem": "PRB-000001",
        "service": "paie",
        "title": "Totals",
        "team": "n2",
    }
    log, stream = api.log, "problem-PRB-000001"
    log.record(
        stream,
        0,
        [
            events.ProblemIdentified(**common, **known, origin="staff"),
            events.ProblemWorkaroundPublished(
                **common, problem="PRB-000001", workaround="Round totals by hand"
            ),
        ],
    )
    api.get("/v1/queues", min_position=last)
    return api


def found(api: Api, q: str) -> list[str]:
    return [each["person"]["id"] for each in api.get("/v1/callers", q=q)["items"]]


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("cos", ["costa", "lecostal"]),
        ("costa m.", ["costa"]),
        ("valmont.ex", ["costa"]),
        ("VILLE mons", ["costa"]),
        ("475 00 00", ["costa"]),
        ("04 75 00 00 01", ["costa"]),
        ("0 %", ["roy_100"]),
        ("nobody", []),
    ],
)
def test_a_caller_is_found_by_any_part_of_what_is_known(
    told: Api, typed: str, ids: list[str]
) -> None:
    assert found(told, typed) == ids


def test_what_is_open_for_them_and_for_their_client_is_shown(told: Api) -> None:
    (costa,) = told.get("/v1/callers", q="475000001")["items"]

    assert costa["matched"] == "phone"
    assert [each["ref"] for each in costa["reported"]] == ["INC-000001"]
    assert [each["ref"] for each in costa["of_client"]] == ["INC-000002"]


def test_only_who_may_look_people_up_finds_callers(told: Api) -> None:
    problem(told.call("GET", "/v1/callers?q=costa", "auditor"), 403)
    problem(told.call("GET", "/v1/callers?q=costa", None), 401)
    for bad in ("q=c", "", "q=costa&limit=9", "q=%00%00"):
        problem(told.call("GET", f"/v1/callers?{bad}"), 422)


def proposed(api: Api, **asked: str) -> list[dict[str, Any]]:
    return list(api.get("/v1/proposals", **asked)["items"])


def test_outages_workarounds_and_notes_are_proposed_with_reasons(told: Api) -> None:
    items = proposed(told, service="paie", words="My totals are wrong")
    kinds = {(each["kind"], each["ref"]): each["because"] for each in items}

    assert kinds[("workaround", "PRB-000001")] == ["service", "words"]
    assert "words" in kinds[("incident", "INC-000001")]
    assert "outage" in kinds[("incident", "INC-000002")]
    assert ("solution", "INC-000003") not in kinds


def test_words_alone_find_what_is_known_of_any_service(told: Api) -> None:
    kinds = [(each["kind"], each["ref"]) for each in proposed(told, words="back cover")]

    assert kinds == [("solution", "INC-000003")]
    assert proposed(told) == []
    assert proposed(told, service="unknown", words="a b") == []


def test_each_role_is_seen_within_its_own_limits() -> None:
    both = Caller(
        "person:paul",
        (
            Grant("paul.1", "agent", Limits(clients=frozenset({CITY}))),
            Grant("paul.2", "client", Limits(clients=frozenset({"fret"}))),
        ),
        "t",
    )
    sight = sight_of(both)

    assert sight.sees(Place(CITY, "paie", "support"))
    assert not sight.sees(Place("fret", "paie", "support"))
    assert sight.sees_client(CITY)
    assert not sight.sees_client("fret")
    assert not sight.sees_client(None)
