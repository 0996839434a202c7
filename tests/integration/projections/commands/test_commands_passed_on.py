"""A person's command for intake: without an answer it is sent again under its id."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from threading import Thread

import pytest

from standalone.nats import Bus
from tests.support.desks.api import problem, serving
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

RECORDED = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


@contextmanager
def dying(times: int, requests: int = 2) -> Iterator[tuple[str, list[str]]]:
    """Give the address of an intake that dies of its first `times` requests.

    And the Idempotency-Keys of all requests, in order. After so many `requests` nobody
    listens any more.
    """
    keys: list[str] = []
    with create_server(("127.0.0.1", 0)) as door:
        door.settimeout(SECONDS)

        def serve() -> None:
            for n in range(requests):
                connection, _ = door.accept()
                with connection:
                    keys.append(_key(connection.recv(65_536).decode()))
                    if n + 1 == requests:
                        door.close()
                    if n >= times:
                        connection.sendall(RECORDED)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}", keys
        thread.join(SECONDS)


def _key(request: str) -> str:
    headers = dict(line.lower().split(": ", 1) for line in request.split("\r\n")[1:-2])
    return headers["idempotency-key"]


@pytest.mark.parametrize("given", [{}, {"Idempotency-Key": "mine"}])
def test_the_repeat_carries_the_same_id(
    database: Database, bus: Bus, tmp_path: Path, given: dict[str, str]
) -> None:
    with (
        dying(1) as (url, keys),
        serving(database, bus, tmp_path, built=False, intake_url=url) as api,
    ):
        answer = api.call("POST", "/v1/maintenance", headers=given)

    assert answer.status_code == 201
    assert len(set(keys)) == 1
    assert keys == [given.get("Idempotency-Key", keys[0])] * 2


@pytest.mark.parametrize("requests", [1, 2])
def test_who_gets_no_answer_at_all_hears_that_it_may_have_been_done(
    database: Database, bus: Bus, tmp_path: Path, requests: int
) -> None:
    """Also if the repeat found nobody: the first request was sent."""
    with (
        dying(2, requests) as (url, keys),
        serving(database, bus, tmp_path, built=False, intake_url=url) as api,
    ):
        answer = api.call("POST", "/v1/maintenance/MNT-000001/cancel")

    assert "may have been done" in str(problem(answer, 503)["detail"])
    assert len(keys) == requests
