"""How often a screen asks the database: it does not depend on what is shown."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg
import pytest

from services.projections.api.session_cookie import COOKIE
from shared.domain.events.incident import IncidentContacted, IncidentInformed
from shared.domain.identifiers import incident_ref
from shared.domain.limits import EVERYTHING, Limits
from shared.security.access import create
from tests.support.desks.api import Api
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

FEW, MANY = 3, 30
REF = incident_ref(1)
PAGES = ("/", "/?queue=desk", "/?q=printer", "/find?q=printer", f"/incidents/{REF}")
OURS = Limits(clients=frozenset({"ours"}))
_HEAD = {"at": START, "by": "person:paul", "whose": "person:paul", "policy": 1}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries of the API's threads, without what they write of earlier answers.

    Who read what is written for many answers at once, some time later. An empty query
    is the pool's, which looks whether a connection is alive. Callers and keys that were
    asked for once stay known: else some would be asked for again in the middle.
    """
    for module in ("shared.security.access", "shared.vault.vault"):
        monkeypatch.setattr(f"{module}.REMEMBERED_SECONDS", 86_400.0)
    queries: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(self, query, *given, **more):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN003, ANN202
        is_api = threading.current_thread().name.startswith("api")
        if is_api and query and "reads.note(" not in str(query):
            queries.append(str(query))
        return execute(self, query, *given, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    return queries


def _token(api: Api, limits: Limits) -> str:
    with api.log.transaction() as cursor:
        now = datetime.now(UTC)
        return create(cursor, now, "person:nadia", ["agent"], limits=limits).token


def _happened(api: Api, first: int, last: int) -> int:
    """Record incidents, and as much about the first one."""
    position = 0
    for number in range(first, last + 1):
        ref = incident_ref(number)
        person = f"user-{number}"
        api.happened(opened(ref, client="ours", reporter=person))
        contact = {"person": person, "direction": "inbound", "channel": "phone"}
        position = api.happened(
            IncidentContacted(
                **_HEAD, **contact, incident=REF, contacted_at=START, words="A printer"
            ),
            IncidentInformed(**_HEAD, incident=REF, message="The printer is mended"),
        )
    return position


def _shown(api: Api, position: int) -> None:
    """Wait until queue and search have everything."""
    api.get("/v1/search", q="printer", min_position=position)


def _numbers(
    api: Api, asked: list[str], token: str, paths: Sequence[str] = PAGES
) -> list[int]:
    """Return how many queries each path takes, once its caller is known."""
    headers = {"Cookie": f"{COOKIE}={token}", "Authorization": f"Bearer {token}"}
    numbers = []
    for path in paths:
        for _ in "ab":  # the first one also reads keys and policies
            asked.clear()
            answer = api.call("GET", path, None, headers)
            assert answer.status_code == 200, answer.text
        numbers.append(len(asked))
    return numbers


def test_a_screen_asks_as_often_for_many_rows_as_for_few(
    api: Api, asked: list[str]
) -> None:
    tokens = [_token(api, EVERYTHING), _token(api, OURS)]
    _shown(api, _happened(api, 1, FEW))
    few = [_numbers(api, asked, token) for token in tokens]
    _shown(api, _happened(api, FEW + 1, MANY))
    many = [_numbers(api, asked, token) for token in tokens]

    assert many == few

    # Those within limits are counted from the rows: once, and not for each queue.
    everything, ours = (_numbers(api, asked, each, ["/v1/queues"]) for each in tokens)
    assert everything == ours
