"""Positions and cursors of a lost history are refused, never taken for others."""

from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest

from shared.domain.identifiers import incident_ref
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.epochs import Epoch
from shared.eventlog.errors import Unavailable
from tests.support.desks.api import Api
from tests.support.patience import SECONDS, until
from tests.support.servers.sse import events, listening
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
STREAM = "/v1/stream"


def bearer(api: Api) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.tokens['agent']}"}


def filled(api: Api, first: int, count: int) -> int:
    numbers = range(first, first + count)
    return api.happened(*(opened(incident_ref(number)) for number in numbers))


def restored(api: Api) -> Epoch:
    """Begin a new epoch, as after a restore; return once everybody knows."""
    epoch = renew(api.log, Renewal("restore", "a test", "person:root", NOW), None)
    with suppress(Unavailable), api.log.transaction() as cursor:
        api.log.look(cursor)  # says once that the epoch was renewed
    until(lambda: _epoch(api) == 2, "projections know of the epoch")
    return epoch


def _epoch(api: Api) -> float:
    checks = api.call("GET", "/health/ready").json()["checks"]
    (epoch,) = (each["epoch"] for each in checks if each["kind"] == "continuity")
    return float(epoch)


def asked(api: Api, id_: str) -> httpx.Response:
    headers = bearer(api) | {"Last-Event-ID": id_}
    with httpx.stream(
        "GET", f"{api.url}{STREAM}", headers=headers, timeout=SECONDS
    ) as answer:
        if answer.status_code != 200:
            answer.read()
        return answer


def test_a_stream_goes_on_from_ids_of_both_epochs(api: Api) -> None:
    filled(api, 1, 3)
    epoch = restored(api)
    filled(api, 11, 2)

    with listening(f"{api.url}{STREAM}", bearer(api), after=0) as said:
        ids = [one.id for one in events(said, 6)]
    name = epoch.label
    assert ids == ["1", "2", "3", f"{name}:4", f"{name}:5", f"{name}:6"]
    for known, rest in (("2", ids[2:]), (f"{name}:5", ids[5:])):
        again = bearer(api) | {"Last-Event-ID": known}
        with listening(f"{api.url}{STREAM}", again) as said:
            assert [one.id for one in events(said, len(rest))] == rest


def test_an_id_of_a_lost_history_is_refused(api: Api) -> None:
    filled(api, 1, 3)
    epoch = restored(api)
    filled(api, 11, 2)

    for lost in ("5", "2-00000000:5", f"{epoch.label}:2"):
        answer = asked(api, lost)
        assert answer.status_code == 410, answer.text
        assert answer.json()["code"] == "other_epoch"


def test_a_cursor_of_another_epoch_is_refused(api: Api) -> None:
    filled(api, 1, 4)
    queue = "/v1/queues/all/incidents"
    cursor = api.get(queue, limit=2, min_position=4)["next_cursor"]
    restored(api)
    head = api.log.head().position

    answer = api.call("GET", queue, params={"cursor": cursor, "min_position": head})
    assert answer.status_code == 410, answer.text
    assert answer.json()["code"] == "other_epoch"
    fresh = api.get(queue, limit=2, min_position=head)["next_cursor"]
    assert len(api.get(queue, limit=2, cursor=fresh)["items"]) == 2
