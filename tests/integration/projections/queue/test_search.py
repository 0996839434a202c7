"""Searching the queues: words of what the reader may see, in any order."""

from datetime import UTC, datetime

import pytest

from services.intake.directory.store import import_people
from services.projections.queue import search
from services.projections.words.normalization import words_of
from shared.directory import ids_by_word
from shared.domain.events.incident import (
    IncidentAssigned,
    IncidentClosed,
    IncidentContacted,
    IncidentEdited,
)
from tests.support.desks.api import Api
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_DISK, _SLOW, _OLD, _FOURTH = "INC-000012", "INC-000123", "INC-000007", "INC-000200"
_NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)
_PEOPLE = [
    {"id": "zb", "name": "Zoé Bérard"},
    {"id": "nadia.l", "name": "Nadia Lefèvre"},
    {"id": "jean", "name": "Jean Œuvrard-Müller"},
]
_TOLD = {"at": START, "by": "person:paul", "whose": "person:paul", "policy": 1}


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Api:
    with shared_api.log.transaction() as cursor:
        import_people(cursor, _PEOPLE, _NOW)
    call = {
        **_TOLD,
        "incident": _SLOW,
        "person": "jean",
        "direction": "inbound",
        "channel": "phone",
        "contacted_at": START,
    }
    position = shared_api.happened(
        opened(
            _DISK,
            title="100 % of /var used",
            service="payroll",
            origin="monitoring",
            labels={"host": "db-1.example.org", "mount": "/srv/données"},
        ),
        opened(_SLOW, title="L’écran est très lent", reporter="zb"),
        IncidentAssigned.model_validate(
            {**_TOLD, "incident": _SLOW, "team": "desk", "assignee": "nadia.l"}
        ),
        IncidentContacted.model_validate(call),
        opened(_OLD, title="Écran noir", reporter="zb"),
        IncidentClosed(at=START, by="person:paul", incident=_OLD, policy=1),
        opened(_FOURTH, title="Nothing to do with it"),
    )
    shared_api.get("/v1/queues/all/incidents", min_position=position)
    return shared_api


def _found(api: Api, q: str, who: str = "agent", **filters: object) -> list[str]:
    page = api.get("/v1/queues/all/incidents", who, q=q, **filters)
    return [item["ref"] for item in page["items"]]


@pytest.mark.parametrize(
    ("q", "refs"),
    [
        ("ecran", [_SLOW]),
        ("ÉCRAN", [_SLOW]),
        ("lent écran", [_SLOW]),
        ("lent var", []),
        ("très le", [_SLOW]),
        ("ran", []),
        ("used 100 %", [_DISK]),
        ("payroll var", [_DISK]),
        ("host db", [_DISK]),
        ("db-1.example.org", [_DISK]),
        ("example.org donnees", [_DISK]),
        (" inc-000012 ", [_DISK]),
        ("123 écran", [_SLOW]),
        ("inc-12", [_SLOW, _DISK]),
        ("zoe", [_SLOW]),
        ("bér zo", [_SLOW]),
        ("lefevre bérard", [_SLOW]),
        ("oeuvrard", [_SLOW]),
        ("muller", [_SLOW]),
        ("nadia", [_SLOW]),
        ("zb", [_SLOW]),
        ("Zoé imprimante", []),
        ("%", []),
        ("_", []),
        ("'quoted' \\ | & ! <-> :* écran", []),
        ("écran | ' & !", [_SLOW]),
    ],
)
def test_all_words_are_found_in_any_order_from_their_beginning(
    desk: Api, q: str, refs: list[str]
) -> None:
    assert sorted(_found(desk, q)) == sorted(refs)


def test_a_search_of_blanks_is_no_condition(desk: Api) -> None:
    assert {_DISK, _SLOW} <= set(_found(desk, "  "))


def test_what_ended_is_searched_apart(desk: Api) -> None:
    assert _found(desk, "ecran zoe", status="closed") == [_OLD]
    assert _found(desk, "lent", status="closed") == []


def test_a_search_is_within_its_queue_and_filters(desk: Api) -> None:
    assert _found(desk, "ecran", service="payroll") == []
    page = desk.get("/v1/queues/unassigned/incidents", q="ecran")
    assert page["items"] == []


def test_names_are_found_by_whom_may_look_people_up_alone(desk: Api) -> None:
    assert _found(desk, "bérard", "auditor") == []
    assert _found(desk, "lefevre lent", "auditor") == []
    assert _found(desk, "zb lent", "auditor") == [_SLOW]


def _pages(api: Api, q: str) -> list[str]:
    refs: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("/v1/queues/all/incidents", q=q, limit=1, **cursor)
        refs += [item["ref"] for item in page["items"]]
        if page["next_cursor"] is None:
            return refs
        cursor = {"cursor": page["next_cursor"]}


def test_many_matches_are_in_the_same_order_as_few_and_their_pages_join(
    desk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = _pages(desk, "inc")
    monkeypatch.setattr(search, "COLLECTED_MAX", 1)
    many = _pages(desk, "inc")

    assert sorted(few) == sorted([_DISK, _SLOW, _FOURTH])
    assert many == few


def test_a_name_that_is_corrected_or_forgotten_is_no_longer_found(api: Api) -> None:
    with api.log.transaction() as cursor:
        import_people(cursor, _PEOPLE, _NOW)
    position = api.happened(opened(_DISK, reporter="zb"))
    api.get("/v1/queues/all/incidents", min_position=position)
    assert _found(api, "berard") == [_DISK]

    with api.log.transaction() as cursor:
        import_people(cursor, [{"id": "zb", "name": "[forgotten]"}], _NOW)

    assert _found(api, "berard") == []


def test_a_title_is_found_by_its_newest_words(api: Api) -> None:
    edited = {**_TOLD, "incident": _DISK, "title": "Tape full"}
    position = api.happened(
        opened(_DISK, title="Disk full"), IncidentEdited.model_validate(edited)
    )
    api.get("/v1/queues/all/incidents", min_position=position)

    assert _found(api, "tape") == [_DISK]
    assert _found(api, "disk") == []


@pytest.mark.parametrize(
    "name",
    [
        "Éloïse Lefèvre",
        "M. Œuvrard",
        "Łukasz Ødegård",
        "Jörg Müller-Straße",
        "Conan O’Brien",
        "D'Artois, Paul (RH)",
        "Σωκράτης",
        "Żółć Đoković",
    ],
)
def test_names_have_the_words_that_searches_have(desk: Api, name: str) -> None:
    with desk.log.transaction() as cursor:
        row = cursor.execute(
            "SELECT tsvector_to_array(directory.words_of(%s))", (name,)
        ).fetchone()

    assert row is not None
    assert sorted(row[0]) == sorted(words_of(name))


def test_of_many_people_those_come_first_whose_names_have_most_of_the_words(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.directory.NAMED_MAX", 2)
    people = [{"id": f"a{n}", "name": f"Jean No{n}"} for n in range(5)]
    people.append({"id": "z", "name": "Jean Martin"})
    with api.log.transaction() as cursor:
        import_people(cursor, people, _NOW)
        found = ids_by_word(cursor, ["jean", "martin", "j"])

    assert found == {"jean": ["z", "a0"], "martin": ["z"]}
