"""A timeline as a page shows it: people by name, one zone, a line for each message."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.directory.store import import_people
from services.projections.api.session_cookie import COOKIE
from tests.support.builders.promise_events import armed, told
from tests.support.desks.api import Api, problem
from tests.support.patience import answered
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

_REF = "INC-000001"
_PATH = f"/v1/incidents/{_REF}/timeline"
_PEOPLE = [
    {"id": "paul", "name": "Paul d’Artois", "zone": "Europe/Paris", "language": "fr"},
    {"id": "zoe", "name": "Zoé <b>Bérard</b>"},
]


def _asked(key: str) -> Any:
    return told(
        "notification.requested",
        _REF,
        policy=1,
        key=key,
        kind="receipt",
        audience="user",
        channel="mail",
        person="zoe",
        cause_stream=f"incident-{_REF}",
        cause_version=1,
    )


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    with shared_api.log.transaction() as cursor:
        import_people(cursor, _PEOPLE, datetime(2025, 6, 30, 8, tzinfo=UTC))
    position = shared_api.happened(
        opened(_REF, reporter="zoe"),
        _asked("one"),
        _asked("two"),
        told("notification.sent", _REF, key="one"),
        armed(_REF, "ttr", 60),
        told("notification.confirmed", _REF, key="one", attempts=1, receipt="250 ok"),
    )
    shared_api.get(_PATH, min_position=position)
    return shared_api


def _positions(api: Api, **asked: Any) -> list[int]:
    items = api.get(_PATH, messages="newest", **asked)["items"]
    return [item["position"] for item in items]


def test_of_each_message_only_how_far_it_has_come_is_told(api: Api) -> None:
    assert _positions(api) == [1, 3, 5, 6]
    assert _positions(api, order="newest") == [6, 5, 3, 1]
    (last,) = api.get(_PATH, messages="newest", order="newest", limit=1)["items"]
    assert last["sentence"].startswith("Accepted for delivery to zoe")


def test_a_message_says_in_few_words_how_far_it_came_and_what_it_reports(
    api: Api,
) -> None:
    lines = {e["position"]: e for e in api.get(_PATH, names=True)["items"]}

    assert {each: line["message"] for each, line in lines.items()} == {
        1: None,
        2: {"reports": 1, "text": "Zoé <b>Bérard</b> by mail: to be sent"},
        3: {"reports": 1, "text": "Zoé <b>Bérard</b> by mail: to be sent"},
        4: {"reports": 1, "text": "Zoé <b>Bérard</b> by mail: sent"},
        5: None,
        6: {
            "reports": 1,
            "text": "Zoé <b>Bérard</b> by mail: accepted for delivery",
        },
    }
    unnamed = api.get(_PATH, order="newest", limit=1, lang="fr")["items"][0]
    assert (
        unnamed["message"]["text"] == "zoe par courriel\xa0: accepté pour acheminement"
    )


def test_a_part_of_the_story_leaves_out_what_a_later_part_tells(api: Api) -> None:
    assert _positions(api, order="newest", before=5) == [3, 1]
    assert _positions(api, limit=2) == [1, 3]


def test_in_the_past_a_message_had_come_less_far(api: Api) -> None:
    (entry,) = api.log.since(3, 1)
    then = api.get(_PATH, messages="newest", at=entry.recorded_at.isoformat())

    # What is recorded at one instant is known at once.
    known = {4: [1, 3, 4], 5: [1, 3, 4, 5], 6: [1, 3, 5, 6]}
    positions = [item["position"] for item in then["items"]]
    assert positions == known[then["as_of"]["position"]]


def test_people_are_called_by_name_by_whom_may_look_them_up(api: Api) -> None:
    by_name = "Paul d’Artois (paul) opened the incident"

    def first(who: str, **asked: Any) -> str:
        return str(api.get(_PATH, who, limit=1, **asked)["items"][0]["sentence"])

    assert first("agent", names=True).startswith(by_name)
    assert "as reported by Zoé <b>Bérard</b> (zoe)" in first("agent", names=True)
    assert first("agent").startswith("paul opened the incident")
    assert first("auditor", names=True).startswith("paul opened the incident")


def test_instants_inside_sentences_are_of_the_zone_that_is_asked_for(api: Api) -> None:
    def due(**asked: str) -> str:
        items = api.get(_PATH, **asked)["items"]
        (told,) = (item for item in items if item["kind"] == "sla.armed")
        return str(told["sentence"])

    assert "UTC" in due()
    assert "UTC" not in due(zone="Europe/Paris")
    assert due(zone="Europe/Paris") != due(zone="Asia/Tokyo")
    assert problem(api.call("GET", f"{_PATH}?zone=Paris"), 422)


def test_whose_token_it_is_and_the_zone_they_read_in(api: Api) -> None:
    assert api.get("/v1/me") == {
        "actor": "person:paul",
        "scopes": ["agent"],
        "may_command": True,
        "name": "Paul d’Artois",
        "language": "fr",
        "zone": "Europe/Paris",
    }
    assert api.get("/v1/me", "auditor")["zone"] == "UTC"
    assert api.get("/v1/me", "auditor")["name"] is None
    problem(api.call("GET", "/v1/me", "source"), 403)
    problem(api.call("GET", "/v1/me", None), 401)


def _look(api: Api, path: str, who: str = "agent") -> str:
    cookie = {"Cookie": f"{COOKIE}={api.tokens[who]}"}
    answer = answered(lambda: api.call("GET", path, who=None, headers=cookie))
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_page_names_people_and_keeps_to_one_zone(api: Api) -> None:
    page = _look(api, f"/incidents/{_REF}?lang=en")

    escaped = "Zoé &lt;b&gt;Bérard&lt;/b&gt;"
    assert f'<bdi>{escaped}</bdi> <span class="id">(zoe)</span>' in page
    assert "All times: Europe/Paris" in page
    assert "UTC" not in page
    # How far a message came stands under what it reports, folded.
    assert f"<bdi>{escaped} by mail: accepted for delivery</bdi>" in page
    assert page.index("opened the incident") < page.index("Accepted for delivery")
    assert page.count("Accepted for delivery") == 1


def test_an_auditor_sees_ids_alone(api: Api) -> None:
    page = _look(api, f"/incidents/{_REF}?lang=en", "auditor")

    assert "Zoé" not in page
    assert "<dd>zoe</dd>" in page
