"""External records and their incidents: listed, found, shown, as of now and then."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.domain.commands.incident import Close, Link, Resolve, Unlink
from shared.http.problem_details import HttpError
from standalone.nats import Bus
from tests.support.desks.api import problem
from tests.support.desks.attachments import FileDesk, taking_files
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def desk(
    shared_database: Database,
    shared_bus: Bus,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FileDesk]:
    folder: Path = tmp_path_factory.mktemp("records")
    with taking_files(shared_database, shared_bus, folder) as running:
        yield running


def put(desk: FileDesk, record: str, **told: Any) -> int:
    """Put a record by the API, as its source; return the position of the event."""
    answer = desk.api.call("PUT", f"/v1/records/{record}", "source", json=told)
    assert answer.is_success, answer.text
    return int(answer.json()["positions"][-1])


def refs_of(found: dict[str, Any]) -> list[str]:
    return [each["ref"] for each in found["items"]]


def test_an_external_record_and_its_incidents_show_each_other(desk: FileDesk) -> None:
    record = "release/mail-4.2"
    put(desk, record, name="Mail 4.2", state="deployed", url="https://ci.example/42")
    ended, first, second = (desk.incident() for _ in range(3))
    link = {"relation": "record", "target": record}
    for ref in (ended, first, second):
        desk.does(ref, Link.model_validate(link))
    desk.does(ended, Resolve(note="Rolled back"))
    desk.does(ended, Close())
    at = desk.does(second, Unlink.model_validate(link)).positions[-1]

    shown = desk.api.get(f"/v1/records/{record}", min_position=at)
    assert (shown["type"], shown["id"], shown["name"]) == (
        "release",
        "mail-4.2",
        "Mail 4.2",
    )
    linked = desk.api.get(f"/v1/records/{record}/incidents", min_position=at)
    assert refs_of(linked) == [first, ended]
    part = desk.api.get(f"/v1/records/{record}/incidents", limit=1)
    rest = desk.api.get(f"/v1/records/{record}/incidents", cursor=part["next_cursor"])
    assert (refs_of(part), refs_of(rest)) == ([first], [ended])
    there = desk.api.get(f"/v1/incidents/{first}", min_position=at)
    assert there["links"] == [{**link, "title": "Mail 4.2", "status": "deployed"}]
    assert desk.api.get(f"/v1/incidents/{second}", min_position=at)["links"] == []
    timeline = desk.api.get(f"/v1/incidents/{first}/timeline", min_position=at)
    assert any(record in line["sentence"] for line in timeline["items"])


def test_an_external_record_is_known_as_it_was(desk: FileDesk) -> None:
    record = "configuration_item/db-1"
    put(desk, record, name="Database 1")
    before = datetime.now(UTC).isoformat()
    put(desk, record, name="Database one", state="retired")

    assert desk.api.get(f"/v1/records/{record}")["name"] == "Database one"
    assert desk.api.get(f"/v1/records/{record}", at=before)["name"] == "Database 1"


def test_external_records_are_listed_by_type_and_found_by_words(desk: FileDesk) -> None:
    for number in (1, 2, 3):
        name = f"Kangaroo gateway {number}"
        put(desk, f"gateway/gw-{number}", name=name, attributes={"site": "Crest"})
    put(desk, "gateway_rack/r-1", name="Kangaroo rack")

    first = desk.api.get("/v1/records", type="gateway", limit=2)
    rest = desk.api.get("/v1/records", type="gateway", cursor=first["next_cursor"])
    assert refs_of(first) == ["gateway/gw-1", "gateway/gw-2"]
    assert (refs_of(rest), rest["next_cursor"]) == (["gateway/gw-3"], None)
    at = first["as_of"]["position"]
    for words, found in (("kangaroo crest 3", ["gateway/gw-3"]), ("wallaby", [])):
        asked = {"type": "gateway", "q": words, "min_position": at}
        assert refs_of(desk.api.get("/v1/records", **asked)) == found
    hits = desk.api.get("/v1/search", q="kangaroo rack", kind="record", min_position=at)
    assert [(hit["kind"], hit["id"], hit["title"]) for hit in hits["items"]] == [
        ("record", "gateway_rack/r-1", "Kangaroo rack")
    ]


def test_what_nobody_put_is_unknown(desk: FileDesk) -> None:
    ref, never = desk.incident(), "release/never-put"

    with pytest.raises(HttpError, match=f"there is no record {never}"):
        desk.does(ref, Link(relation="record", target=never))
    for path in (f"/v1/records/{never}", f"/v1/records/{never}/incidents"):
        refused = problem(desk.api.call("GET", path), 404)
        assert refused["code"] == "unknown_record"
