"""One incident: as it is, as it was, its timeline in words, its events."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.projections.read_models import MODELS
from shared.domain import events
from shared.vault import vault
from standalone.nats import Bus
from tests.support.builders.written_histories import live_of
from tests.support.desks.api import Api, serving
from tests.support.servers.servers import Database
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_REF = "INC-000001"
_PATH = f"/v1/incidents/{_REF}"
_QUESTION = "Which floor? Écran noir?"


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    head = {"by": "person:paul", "incident": _REF, "policy": 1, "whose": "person:paul"}

    def later(minutes: int) -> dict[str, object]:
        return {**head, "at": START + timedelta(minutes=minutes)}

    position = shared_api.happened(
        opened(_REF, reporter="lefevre", client="valmont"),
        events.IncidentAcknowledged.model_validate(later(1)),
        events.IncidentPaused.model_validate(
            {**later(2), "reason": "user", "question": _QUESTION}
        ),
        events.IncidentResumed.model_validate({**later(3), "cause": "reply"}),
        events.IncidentLinked.model_validate(
            {**later(4), "relation": "problem", "target": "PRB-1"}
        ),
        events.IncidentResolved.model_validate(
            {**later(5), "cycle": 1, "note": "Replaced the toner"}
        ),
    )
    shared_api.get(f"{_PATH}/timeline", min_position=position)
    return shared_api


def _recorded(api: Api, version: int) -> str:
    (entry,) = api.log.since(version - 1, 1)
    return entry.recorded_at.isoformat()


def test_an_incident_is_what_its_events_add_up_to(api: Api) -> None:
    shown = api.get(_PATH)

    assert shown["ref"] == _REF
    assert shown["status"] == "resolved"
    assert shown["acknowledged_by"] == "person:paul"
    assert shown["reporters"] == ["lefevre"]
    (link,) = shown["links"]
    assert (link["relation"], link["target"]) == ("problem", "PRB-1")
    assert link["title"] is None  # a record of another system
    assert shown["pause"] is None
    assert shown["as_of"] == {"position": 6, "time": shown["as_of"]["time"]}


def test_its_version_is_the_etag_that_a_command_may_ask_for(api: Api) -> None:
    answer = api.call("GET", _PATH)

    assert answer.headers["ETag"] == '"6"'
    assert answer.json()["version"] == 6


def test_it_is_shown_as_it_was_at_an_instant(api: Api) -> None:
    then = api.get(_PATH, at=_recorded(api, 3))

    assert then["status"] == "paused"
    assert then["pause"]["question"] == _QUESTION
    assert then["pause"]["received_at"] is not None
    assert then["version"] == 3
    assert then["as_of"]["position"] == 3


def test_the_plus_of_a_zone_may_be_typed_as_it_is(api: Api) -> None:
    query = f"at={_recorded(api, 3)}".replace("Z", "+00:00")

    answer = api.call("GET", f"{_PATH}?{query}")  # where a plus means a space

    assert answer.json()["as_of"]["position"] == 3


@pytest.mark.parametrize("path", [_PATH, f"{_PATH}/timeline"])
def test_before_it_was_recorded_it_is_said_that_it_came_later(
    api: Api, path: str
) -> None:
    details = api.call("GET", path, params={"at": "2020-01-01T00:00:00Z"}).json()

    assert details["code"] == "unknown_incident"
    assert details["detail"].endswith("at that instant: it was recorded later")


def test_its_timeline_tells_the_story_in_words(api: Api) -> None:
    told = [line["sentence"] for line in api.get(f"{_PATH}/timeline")["items"]]

    assert told == [
        (
            "paul opened the incident “Printer on fire” on service portal"
            " with priority P3 for team desk as reported by lefevre."
        ),
        "paul took it on.",
        f"paul paused it, waiting for the user, and asked: “{_QUESTION}”",
        "paul ended the pause (reply).",
        "paul linked it to PRB-1 (problem).",
        "paul resolved it: Replaced the toner.",
    ]


def test_the_timeline_at_an_instant_knows_nothing_later(api: Api) -> None:
    timeline = api.get(f"{_PATH}/timeline", at=_recorded(api, 2))

    assert [line["version"] for line in timeline["items"]] == [1, 2]
    assert timeline["as_of"]["position"] == 2


def test_the_timeline_comes_in_parts(api: Api) -> None:
    first = api.get(f"{_PATH}/timeline", limit=4)
    second = api.get(f"{_PATH}/timeline", limit=4, after=first["next_after"])

    assert [line["version"] for line in first["items"]] == [1, 2, 3, 4]
    assert [line["version"] for line in second["items"]] == [5, 6]
    assert second["next_after"] is None


def test_of_a_long_timeline_the_newest_may_come_first(api: Api) -> None:
    last = api.get(f"{_PATH}/timeline", order="newest", limit=4)
    before = {"before": last["next_before"], "limit": 4}
    rest = api.get(f"{_PATH}/timeline", order="newest", **before)

    assert [line["version"] for line in last["items"]] == [6, 5, 4, 3]
    assert [line["version"] for line in rest["items"]] == [2, 1]
    assert (last["next_after"], rest["next_before"]) == (None, None)
    assert api.get(f"{_PATH}/timeline", before=0)["items"] == []


def test_the_stored_timeline_holds_no_personal_word(api: Api) -> None:
    with api.log.transaction() as cursor:
        schema = live_of(api.log, MODELS["timeline"])
        rows = cursor.execute(f"SELECT what::text FROM {schema}.lines").fetchall()

    assert len(rows) == 6
    assert not any("floor" in row[0] or "toner" in row[0] for row in rows)


def test_words_whose_key_is_destroyed_are_forgotten_in_the_timeline(
    database: Database, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A reader may look in between, and would know the key for some seconds.
    monkeypatch.setattr(vault, "REMEMBERED_SECONDS", 0)
    with serving(database, bus, tmp_path) as api:
        _forgets(api)


def _forgets(api: Api) -> None:
    api.happened(opened("INC-000002", whose="person:gone", title="My own words"))
    path = "/v1/incidents/INC-000002/timeline"
    with api.log.transaction() as cursor:
        cursor.execute(
            "UPDATE vault.keys SET wrapped = NULL, destroyed_at = now()"
            " WHERE owner = 'person:gone'"
        )

    (line,) = api.get(path, min_position=api.log.head().position)["items"]

    assert "[forgotten]" in line["sentence"]
    assert "My own words" not in str(line)


def test_an_auditor_reads_the_events_with_their_hashes(api: Api) -> None:
    page = api.get(f"{_PATH}/events", who="auditor")

    assert [item["version"] for item in page["items"]] == [1, 2, 3, 4, 5, 6]
    assert page["items"][2]["event"]["question"] == _QUESTION
    rows = api.log.rows_since(0, 6)
    assert [item["chain"] for item in page["items"]] == [r.chain.hex() for r in rows]


def test_the_log_is_read_on_from_a_position(api: Api) -> None:
    first = api.get("/v1/log", who="auditor", limit=4)
    rest = api.get("/v1/log", who="auditor", after=first["next_after"])

    assert [item["position"] for item in first["items"]] == [1, 2, 3, 4]
    assert rest["items"][0]["position"] == 5
    assert rest["next_after"] is None


def test_the_log_is_read_by_types(api: Api) -> None:
    types = "incident.paused,incident.resumed"
    page = api.get("/v1/log", who="admin", types=types)

    assert [item["type"] for item in page["items"]] == types.split(",")
    assert page["next_after"] is None
