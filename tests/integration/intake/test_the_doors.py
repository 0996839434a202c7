"""The doors for machines, knocked at as no honest sender would."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import orjson
import pytest
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.adapters.alert_group import ALERTS_MAX
from services.intake.app import assemble
from services.intake.http import routes
from services.intake.noting import Noting
from shared.access import create
from shared.event_log import EventLog
from shared.nothing_here import complete
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.servers import Database

pytestmark = pytest.mark.servers


@dataclass(frozen=True)
class Doors:
    """Intake's routes on a real log, and the key of a source."""

    log: EventLog
    executor: ThreadPoolExecutor
    key: str

    def knock(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        """Send one request with the key as bearer token."""
        return asyncio.run(self._knock(method, path, body))

    async def _knock(self, method: str, path: str, body: bytes) -> httpx.Response:
        noting = Noting(CollectorRegistry(), lambda: None)
        parts = assemble(self.log, lambda: NOW, self.executor, noting)
        app = Router(routes=complete(routes(parts.doors)))
        batching = asyncio.create_task(parts.signals.run())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://intake"
        ) as client:
            headers = {"Authorization": f"Bearer {self.key}"}
            answer = await client.request(method, path, content=body, headers=headers)
        batching.cancel()
        return answer


@pytest.fixture
def doors(ruled: Database) -> Iterator[Doors]:
    """Give the doors of a desk with the starter policy."""
    owner = EventLog.open(ruled.owner_dsn)
    with owner.transaction() as cursor:
        key = create(cursor, NOW, "source:demo", ["source"]).token
    owner.close()
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    with ThreadPoolExecutor(4) as executor:
        yield Doors(log, executor, key)
    log.close()


@pytest.mark.parametrize("event_id", ["%00", "a%00b", "%ff", "%ed%a0%80", "x" * 8_000])
def test_an_event_id_that_can_be_none_is_not_found(doors: Doors, event_id: str) -> None:
    assert doors.knock("GET", f"/v1/requests/{event_id}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/events", 405),
        ("BREW", "/v1/requests/e-1", 405),
        ("POST", "/v1/queues", 404),
        ("GET", "/", 404),
    ],
)
def test_what_is_not_there_is_refused_like_all_else(
    doors: Doors, method: str, path: str, status: int
) -> None:
    answer = doors.knock(method, path)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) is (status == 405)


def test_a_crowd_that_can_be_no_alerts_is_kept_as_a_whole(doors: Doors) -> None:
    crowd = orjson.dumps({"alerts": [{}] * (ALERTS_MAX + 1)})

    answer = doors.knock("POST", "/v1/integrations/alertmanager", crowd)

    assert answer.status_code == 202
    assert [r["status"] for r in answer.json()["results"]] == ["quarantined"]
