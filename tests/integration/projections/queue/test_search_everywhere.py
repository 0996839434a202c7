"""One search over everything that is written, by those who may read it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from services.intake.directory.store import import_people
from services.projections.api import callers
from services.projections.queue import search
from services.projections.queue.search import Match
from services.projections.words.search import COLLECTED_MAX
from shared.domain.limits import Limits
from shared.http.bearer import caller_of
from shared.security.access import Caller
from shared.security.rights import Grant
from tests.support.builders.june_log import ONE, THREE, TWO, June, june
from tests.support.desks.api import Api, problem

pytestmark = pytest.mark.servers

_FOUR, _PRB, _CHG = "INC-000004", "PRB-000001", "CHG-000001"
_PEOPLE = [{"id": "zb", "name": "Zoé Bérard", "client": "ville"}]
_PATH = "/v1/search"
_ENDING = ["incident", "problem", "change"]


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Iterator[Api]:
    month = June(shared_api.database)
    with closing(month.log):
        month.applied()
        with month.log.transaction() as cursor:
            import_people(cursor, _PEOPLE, june(1))
        _happens(month)
        shared_api.get(_PATH, q="x", min_position=month.position)
        yield shared_api


def _happens(month: June) -> None:
    of_zoe = {"whose": "person:zb"}
    month.opens(june(2), ONE, title="Écran noir", service="messagerie", **of_zoe)
    called = {"person": "zb", "direction": "inbound", "channel": "phone"}
    month.says(
        june(2, 1),
        "incident.contacted",
        ONE,
        **called,
        contacted_at=june(2, 1),
        words="Les imprimantes du réseau affichent\nl’erreur 0x41, je vous l’ai dit",
        **of_zoe,
    )
    month.opens(june(3), TWO, title="Imprimante en panne", client="ville", team="web")
    month.says(june(4), "incident.edited", TWO, description="Bourrage au technicien")
    month.opens(june(4), THREE, title="Doublon", details="mon imprimante")
    month.says(june(4), "incident.merged", THREE, into=TWO, signal_keys=())
    month.opens(june(5), _FOUR, title="Imprimante revenue")
    month.says(june(5), "incident.closed", _FOUR, note="Technicien venu")
    about = {"title": "Toners", "service": "messagerie", "team": "causes"}
    month.says(june(6), "problem.identified", _PRB, **about, origin="staff")
    month.says(june(6), "problem.diagnosed", _PRB, cause="Imprimantes mal ventilées")
    month.says(june(7), "change.requested", _CHG, **{**about, "title": "Imprimantes"})
    for number in "900000", "10000001", "2000000":
        month.opens(june(8), f"INC-{number}", title="Zeppelin")
        named = {**about, "title": "Zeppelin", "origin": "staff"}
        month.says(june(8), "problem.identified", f"PRB-{number}", **named)
    month.says(june(12), "incident.informed", ONE, message="Un technicien passe mardi")
    month.says(june(13), "incident.resolved", ONE, cycle=1, note="Toner remplacé")
    noted = {"service": "messagerie", "note": "Redémarrer les imprimantes du siège"}
    month.says(june(13), "incident.solution_noted", ONE, **noted)


def _hits(api: Api, q: str, who: str = "agent", **asked: Any) -> list[tuple[str, str]]:
    found = api.get(_PATH, who, q=q, **asked)
    return [(hit["kind"], hit["id"]) for hit in found["items"]]


def _queue(api: Api, **asked: Any) -> list[str]:
    page = api.get("/v1/queues/all/incidents", **asked)
    return [row["ref"] for row in page["items"]]


def test_hits_are_open_ones_first_by_title_then_by_what_was_said(desk: Api) -> None:
    assert _hits(desk, "imprimante") == [
        ("incident", TWO),
        ("incident", ONE),
        ("solution", ONE),
        ("problem", _PRB),
        ("change", _CHG),
        ("incident", _FOUR),
        ("incident", THREE),
    ]
    assert _hits(desk, "imprimante", kind=["problem", "change"]) == [
        ("problem", _PRB),
        ("change", _CHG),
    ]
    assert _hits(desk, "imprimante", limit=1, kind="incident") == [
        ("incident", TWO),
        ("incident", _FOUR),
    ]


@pytest.mark.parametrize(
    ("q", "hits"),
    [
        ("RESEAUX", [("incident", ONE)]),
        ("écran technicien", [("incident", ONE)]),
        ("noir messagerie erreur", [("incident", ONE)]),
        ("tech", [("incident", TWO), ("incident", ONE), ("incident", _FOUR)]),
        ("0x41", [("incident", ONE)]),
        ("berard", [("incident", ONE), ("person", "zb")]),
        ("bérard imprimante", [("incident", ONE)]),
        ("bourrage technicien panne", [("incident", TWO)]),
        ("PRB-000001", [("problem", _PRB)]),
        (ONE.lower(), [("incident", ONE), ("solution", ONE)]),
        ("primante", []),
        ("%", []),
        (" ", []),
    ],
)
def test_words_are_found_wherever_they_were_written(
    desk: Api, q: str, hits: list[tuple[str, str]]
) -> None:
    assert _hits(desk, q) == hits


def test_a_hit_shows_where_its_words_are(desk: Api) -> None:
    (hit,) = desk.get(_PATH, q="réseau mardi")["items"]

    assert (hit["id"], hit["title"], hit["open"]) == (ONE, "Écran noir", True)
    message, contact = hit["excerpts"]
    assert message["place"] == "message"
    assert message["at"] == "2025-06-12T00:00:00Z"
    assert "".join(each["text"] for each in message["pieces"]) == (
        "Un technicien passe mardi"
    )
    assert contact["place"] == "contact"
    assert contact["pieces"] == [
        {"text": "Les imprimantes du ", "hit": False},
        {"text": "réseau", "hit": True},
        {"text": " affichent l’erreur 0x41, je vous l’ai dit", "hit": False},
    ]


def test_a_merged_incident_says_where_it_went(desk: Api) -> None:
    (hit,) = desk.get(_PATH, q="mon imprimante doublon")["items"]

    assert (hit["id"], hit["open"], hit["merged_into"]) == (THREE, False, TWO)


def test_places_are_shown_for_given_incidents_alone(desk: Api) -> None:
    found = desk.get(_PATH, q="imprimante", ref=[ONE, TWO, "INC-000099"])["items"]

    assert [(hit["id"], hit["excerpts"][0]["place"]) for hit in found] == [
        (ONE, "solution"),
        (TWO, "title"),
    ]


def test_a_queue_finds_what_was_said_and_its_pages_join(
    desk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _queue(desk, q="réseaux technicien") == [ONE]
    few = _queue(desk, q="imprimantes")
    assert sorted(few) == [ONE, TWO]
    assert _queue(desk, q="technicien", status="closed") == [_FOUR]

    assert desk.get("/v1/queues/all/count", q="imprimantes")["matching"] == 2
    expression = "réseaux -(bourrage OR toner)"
    assert _queue(desk, filter=expression) == []
    assert _queue(desk, filter="service:messagerie réseaux OR rien") == [ONE]

    monkeypatch.setattr(search, "COLLECTED_MAX", 0)
    assert _queue(desk, q="imprimantes") == few
    assert _queue(desk, q="technicien", status="closed") == [_FOUR]
    first = desk.get("/v1/queues/all/incidents", q="imprimantes", limit=1)
    assert first["items"][0]["ref"] == few[0]
    cursor = first["next_cursor"]
    assert _queue(desk, q="imprimantes", limit=1, cursor=cursor) == few[1:]
    assert _hits(desk, "tech", kind="incident") == [
        ("incident", TWO),
        ("incident", ONE),
        ("incident", _FOUR),
    ]


@pytest.mark.parametrize("collected", [COLLECTED_MAX, 0])
def test_of_equal_hits_the_newest_is_first_however_many_digits_it_has(
    desk: Api, monkeypatch: pytest.MonkeyPatch, collected: int
) -> None:
    monkeypatch.setattr(search, "COLLECTED_MAX", collected)
    numbers = ("10000001", "2000000", "900000")
    for kind, prefix in ("incident", "INC"), ("problem", "PRB"):
        hits = [(kind, f"{prefix}-{number}") for number in numbers]
        assert _hits(desk, "zeppelin", kind=kind) == hits


def test_people_are_found_by_whom_may_look_them_up(desk: Api) -> None:
    assert _hits(desk, "bérard", "auditor") == []
    assert _hits(desk, "réseau", "auditor") == [("incident", ONE)]


def test_strangers_and_sources_find_nothing(desk: Api) -> None:
    problem(desk.call("GET", _PATH, None, params={"q": "toner"}), 401)
    problem(desk.call("GET", _PATH, "source", params={"q": "toner"}), 403)


@pytest.mark.parametrize(
    "wrong", [{}, {"q": ""}, {"q": "x" * 201}, {"q": "a\x00"}, {"q": "a", "limit": 51}]
)
def test_a_search_that_makes_no_sense_is_refused(
    desk: Api, wrong: dict[str, object]
) -> None:
    problem(desk.call("GET", _PATH, params=wrong), 422)


@pytest.mark.parametrize(
    ("within", "hits"),
    [
        (Limits(clients=frozenset({"ville"})), [("incident", TWO)]),
        (Limits(teams=frozenset({"web"})), [("incident", TWO)]),
        (
            Limits(services=frozenset({"messagerie"})),
            [("incident", ONE), ("solution", ONE), ("problem", _PRB), ("change", _CHG)],
        ),
        (Limits(clients=frozenset()), []),
    ],
)
def test_nothing_beyond_the_rights_of_the_caller_is_found(
    desk: Api,
    monkeypatch: pytest.MonkeyPatch,
    within: Limits,
    hits: list[tuple[str, str]],
) -> None:
    async def limited(*given: Any, acts: bool) -> Caller:
        grants = (Grant("", "agent", within),)
        return replace(await caller_of(*given, acts=acts), grants=grants)

    monkeypatch.setattr(callers, "caller_of", limited)

    assert _hits(desk, "imprimante") == hits
    assert _hits(desk, "x", ref=[ONE]) == [
        hit for hit in hits if hit == ("incident", ONE)
    ]


def test_services_are_found_by_name(desk: Api) -> None:
    (hit,) = desk.get(_PATH, q="kaart", kind="service")["items"]

    assert (hit["id"], hit["title"]) == ("billetterie", "Billetterie")


def test_open_and_ended_work_are_found_apart(desk: Api) -> None:
    assert _hits(desk, "imprimante", status="open", kind=_ENDING) == [
        ("incident", TWO),
        ("incident", ONE),
        ("problem", _PRB),
        ("change", _CHG),
    ]
    assert _hits(desk, "imprimante", status="ended", kind=_ENDING) == [
        ("incident", _FOUR),
        ("incident", THREE),
    ]
    problem(desk.call("GET", _PATH, params={"q": "x", "status": "new"}), 422)


_OPEN, _ENDED = Match("open", 1), Match("ended", 1)


@pytest.mark.parametrize(
    ("open_", "ended", "order"),
    [
        ([_OPEN], [_ENDED], (["open"], ["ended"])),
        ([_OPEN], [Match("ended", 2)], (["open"], ["ended"])),
        ([_OPEN], [Match("better", 3), _ENDED], (["better", "open"], ["ended"])),
        (
            [Match("best", 2), Match("open", 0)],
            [Match("ended", 3)],
            (["best", "ended", "open"], []),
        ),
        ([], [_ENDED], ([], ["ended"])),
        ([], [], ([], [])),
    ],
)
def test_an_ended_one_comes_first_only_if_the_words_fit_much_better(
    open_: list[Match], ended: list[Match], order: tuple[list[str], list[str]]
) -> None:
    assert search.merged(open_, ended) == order
