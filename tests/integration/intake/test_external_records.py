"""Other systems tell what a record is: at intake's door, on a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.intake.records.store import replayed_records
from shared.domain.events.external_record import (
    ExternalRecordLinked,
    ExternalRecordPut,
    ExternalRecordUnlinked,
)
from shared.domain.external_record import ExternalRecord
from shared.domain.record import is_external_record_event, replayed
from shared.eventlog.histories import rows_of_state
from tests.support.desks.intake_endpoints import Doors, Gatekept, gatekept, through
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

WEB = "/v1/records/configuration_item/web-01"
REF, STREAM = "configuration_item/web-01", "record-configuration_item-web-01"
AT = datetime(2025, 6, 30, 8, tzinfo=UTC)
TOLD = {
    "name": "Web 1",
    "url": "https://cmdb.example/ci/web-01?tab=1",
    "state": "live",
    "attributes": {"Rack": "B 12"},
}


@pytest.fixture
def desk(database: Database) -> Iterator[Gatekept]:
    with gatekept(database) as made:
        made.keys |= {
            "cmdb": made.key("source:cmdb", "source"),
            "manager": made.key("person:sylvie", "manager"),
        }
        yield made


async def put(
    doors: Doors, path: str = WEB, who: str = "demo", if_match: str = "", **told: Any
) -> httpx.Response:
    headers = doors.bearer(who) | ({"If-Match": if_match} if if_match else {})
    return await doors.client.put(path, json={**TOLD, **told}, headers=headers)


def test_what_is_new_is_recorded_once_and_its_words_are_sealed(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        new, again = await put(doors), await put(doors)
        changed = await put(doors, state="retired")
        late = await put(doors, if_match='"1"', state="live")
        first_again = await put(doors, if_match='"0"')
        other_type = await put(doors, path="/v1/records/release/4.2-rc1", if_match="0")

        assert (new.status_code, again.status_code) == (201, 200)
        assert new.headers["etag"] == '"1"'
        assert new.json()["record"] == "configuration_item/web-01"
        assert again.json() == {
            **new.json(),
            "outcome": "already",
            "positions": [],
        }
        assert (changed.json()["outcome"], changed.json()["version"]) == ("recorded", 2)
        assert (late.status_code, first_again.status_code) == (412, 412)
        assert other_type.status_code == 201

    through(desk, scenario)
    with desk.log() as log, log.transaction() as cursor:
        entries = log.histories(cursor, [STREAM])
        rows = log.stored_histories(cursor, [STREAM])
    record = replayed(
        each.event for each in entries if is_external_record_event(each.event)
    )
    assert isinstance(record, ExternalRecord)
    assert (record.name, record.state, record.put_by) == (
        "Web 1",
        "retired",
        "source:demo",
    )
    assert len(rows) == 2
    assert not any(b"Web 1" in row.state or b"B 12" in row.state for row in rows)


def test_a_record_is_kept_by_its_source_and_by_managers(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        assert (await put(doors)).status_code == 201
        others = await put(doors, who="cmdb", state="retired")
        agents = await put(doors, who="agent", state="retired")
        managers = await put(doors, who="manager", state="retired")

        assert (others.status_code, others.json()["code"]) == (403, "role")
        assert (agents.status_code, agents.json()["code"]) == (403, "scope")
        assert managers.json()["outcome"] == "recorded"

    through(desk, scenario)
    with desk.log() as log, log.transaction() as cursor:
        rows = cursor.execute("SELECT actor, verb, incident, code FROM intake.refusals")
        assert rows.fetchall() == [("source:cmdb", "record.put", REF, "role")]


def test_what_a_later_put_replaced_is_not_read_for_the_state_of_a_record(
    desk: Gatekept,
) -> None:
    def told(state: str) -> ExternalRecordPut:
        by = {"at": AT, "by": "source:demo", "whose": "source:demo"}
        known = {"record": REF, "name": "Web 1", "state": state}
        return ExternalRecordPut.model_validate({**by, **known})

    def tie(kind: type[Any], incident: str) -> Any:
        return kind(at=AT, by="person:a", record=REF, policy=1, incident=incident)

    with desk.log() as log:
        log.vault.prepare("source:demo")
        kept = tie(ExternalRecordLinked, "INC-000001")
        undone = (
            tie(ExternalRecordLinked, "INC-000002"),
            tie(ExternalRecordUnlinked, "INC-000002"),
        )
        states = [told(f"s{number}") for number in range(20)]
        history = (told("new"), kept, *states, *undone, told("live"))
        entries = log.record(STREAM, 0, history)
        with log.transaction() as cursor:
            held = replayed_records(log, cursor, [REF])[REF]
            rows = rows_of_state(log, cursor, [STREAM])
            then = rows_of_state(log, cursor, [STREAM], entries[3].position)

    assert isinstance(held.record, ExternalRecord)
    assert (held.version, held.record.state) == (25, "live")
    assert held.record.incidents == ("INC-000001",)
    assert [each.version for each in rows] == [1, 2, 23, 24, 25]
    assert [each.version for each in then] == [1, 2, 4]


@pytest.mark.parametrize(
    ("path", "told", "where"),
    [
        (WEB, {"name": " "}, "name"),
        (WEB, {"name": "\u200b"}, "name"),
        (WEB, {"url": "javascript:alert(1)"}, "url"),
        (WEB, {"state": "live!"}, "state"),
        (WEB, {"attributes": {str(n): "x" for n in range(31)}}, "attributes"),
        (WEB, {"attributes": {"a": "x" * 501}}, "attributes"),
        (WEB, {"owner": "Zoé"}, "owner"),
        ("/v1/records/Release/4.2", {}, "type"),
        ("/v1/records/release/.4", {}, "id"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(
    desk: Gatekept, path: str, told: dict[str, Any], where: str
) -> None:
    async def scenario(doors: Doors) -> None:
        refused = await put(doors, path, **told)

        assert refused.status_code == 422
        assert where in refused.json()["errors"][0]["loc"]

    through(desk, scenario)
