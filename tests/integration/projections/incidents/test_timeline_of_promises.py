"""The timeline of all that happened about an incident, in both languages."""

import pytest

from shared.domain.events.handover import HandoverDeclined
from tests.support.builders.promise_events import armed, breached, minute, told
from tests.support.desks.api import Api
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_REF = "INC-000001"
_PATH = f"/v1/incidents/{_REF}/timeline"


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    position = shared_api.happened(
        opened(_REF, title="Écran noir"),
        armed(_REF, "ttr", 60),
        told("escalation.escalated", _REF, reason="He knows it", whose="person:paul"),
        told(
            "escalation.paged",
            _REF,
            policy=3,
            level="n2",
            step=0,
            loop=1,
            key="k",
            schedule="astreinte",
            who="on_call",
            people=["bruno"],
            due_at=minute(0),
        ),
        breached(_REF, "ttr", 60),
        HandoverDeclined(
            at=START,
            by="person:helene",
            whose="person:helene",
            incident=_REF,
            reason="The user was away",
        ),
    )
    shared_api.get(_PATH, min_position=position)
    return shared_api


def test_all_streams_about_an_incident_are_told_in_the_order_of_the_log(
    api: Api,
) -> None:
    items = api.get(_PATH)["items"]

    assert [item["position"] for item in items] == [1, 2, 3, 4, 5, 6]
    assert [item["kind"].partition(".")[0] for item in items] == [
        "incident",
        "sla",
        "escalation",
        "escalation",
        "sla",
        "handover",
    ]
    assert items[3]["sentence"] == (
        "Paged: bruno, since step 1 of N2, try 1, asks for the person on call of"
        " schedule astreinte; due 2026-03-02 08:00 UTC, under policy version 3."
    )
    assert items[5]["sentence"] == "helene declined the hand-over: The user was away."


def test_it_is_told_in_french_to_who_asks_for_it_or_likes_it_best(api: Api) -> None:
    asked = api.call("GET", f"{_PATH}?lang=fr")
    liked = api.call(
        "GET", _PATH, headers={"Accept-Language": "de, fr;q=0.8, en;q=0.5"}
    )
    both = api.call("GET", f"{_PATH}?lang=en", headers={"Accept-Language": "fr"})

    french = "helene a refusé le transfert\xa0: The user was away."
    assert asked.json()["items"][5]["sentence"] == french
    assert liked.json()["items"][5]["sentence"] == french
    assert liked.headers["Content-Language"] == "fr"
    assert both.headers["Content-Language"] == "en"


def test_a_language_that_is_not_written_is_refused(api: Api) -> None:
    answer = api.call("GET", f"{_PATH}?lang=de")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", "lang"]


def test_no_personal_word_is_stored(api: Api) -> None:
    with api.log.transaction() as cursor:
        rows = cursor.execute("SELECT what::text FROM rm_timeline_v1.lines").fetchall()

    assert len(rows) == 6
    assert not any("knows it" in row[0] or "away" in row[0] for row in rows)
