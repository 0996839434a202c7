"""Administrators make keys for sources over the API: on a real database."""

from collections.abc import Iterator

import psycopg
import pytest

from services.intake.source_keys import endpoints
from services.intake.source_keys.endpoints import KEYS_MAX
from tests.support.desks.intake_endpoints import Doors, Gatekept, gatekept, through
from tests.support.servers.servers import PostgresServer

pytestmark = pytest.mark.servers

KEYS = "/v1/sources/demo/keys"
LABEL = {"label": "host 7"}


@pytest.fixture(scope="module")
def desk(postgres_server: PostgresServer) -> Iterator[Gatekept]:
    with gatekept(postgres_server.fresh_database()) as made:
        made.keys["admin"] = made.key("person:root", "admin")
        made.keys["manager"] = made.key("person:chief", "manager")
        yield made


def test_a_new_key_is_shown_once_and_lets_the_source_send(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        answer = await doors.post(KEYS, LABEL, "admin")
        assert answer.status_code == 201, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        made = answer.json()
        assert (made["source"], made["type"]) == ("demo", "native")
        assert (await doors.post(who=made["key"])).status_code == 202
        listed = (await doors.get("/v1/sources/demo")).json()["keys"]
        assert [key["label"] for key in listed if key["id"] == made["id"]] == ["host 7"]
        assert made["key"] not in str(listed)

    through(desk, scenario)
    with desk.owner() as log, log.transaction() as cursor:
        row = cursor.execute(
            "SELECT given_by, scopes FROM access.tokens WHERE label = 'host 7'"
        ).fetchone()
    assert row == ("person:root", ["source"])


def test_a_repeated_request_makes_one_key(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        again = {"Idempotency-Key": "the-same-form"}
        first = await doors.post(KEYS, LABEL, "admin", again)
        second = await doors.post(KEYS, LABEL, "admin", again)
        assert (first.status_code, second.status_code) == (201, 409)
        assert first.json()["id"] in second.json()["detail"]

    through(desk, scenario)


@pytest.mark.parametrize("who", ["agent", "manager", "demo"])
def test_only_an_administrator_makes_a_key(desk: Gatekept, who: str) -> None:
    async def scenario(doors: Doors) -> None:
        assert (await doors.post(KEYS, LABEL, who)).status_code == 403

    through(desk, scenario)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/sources/nobody/keys", LABEL, 404),
        ("/v1/sources/%00/keys", LABEL, 404),
        (KEYS, {}, 422),
        (KEYS, {"label": " "}, 422),
        (KEYS, {"label": "x", "scopes": ["admin"]}, 422),
        (KEYS, b"[]", 422),
    ],
)
def test_a_wrong_request_makes_no_key(
    desk: Gatekept, path: str, body: object, status: int
) -> None:
    async def scenario(doors: Doors) -> None:
        json = {"Content-Type": "application/json"}
        answer = await doors.post(path, body, "admin", json)
        assert answer.status_code == status, answer.text

    through(desk, scenario)


def test_a_source_has_a_limited_number_of_keys(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert KEYS_MAX > 1
    monkeypatch.setattr(endpoints, "KEYS_MAX", 1)

    async def scenario(doors: Doors) -> None:
        answer = await doors.post(KEYS, LABEL, "admin")
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")

    through(desk, scenario)


def test_the_role_of_intake_makes_no_token_of_a_person(desk: Gatekept) -> None:
    row = ("0" * 12, b"", "person:thief", ["admin"])
    with (
        psycopg.connect(desk.database.dsn("desk_intake")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(
            "INSERT INTO access.tokens (token_id, hash, actor, scopes, created_at) "
            "VALUES (%s, %s, %s, %s, now())",
            row,
        )
