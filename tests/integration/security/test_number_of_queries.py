"""What it takes to know who calls: as little as possible, since everybody is asked."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from shared.database.cursors import Cursors
from shared.domain.commands.incident import Acknowledge
from shared.domain.limits import Limits
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage, CommandRequest, Credential
from shared.security.sender import authentication
from shared.security.sessions import Start
from tests.support.desks.door import Door

pytestmark = pytest.mark.servers

REF = "INC-000001"
OURS = Limits(clients=frozenset({"ours"}))


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The transactions on the log, as they begin."""
    begun: list[object] = []
    transaction = EventLog.transaction

    @contextmanager
    def noted(log: EventLog) -> Iterator[Cursors]:
        begun.append(log)
        with transaction(log) as cursor:
            yield cursor

    monkeypatch.setattr(EventLog, "transaction", noted)
    return begun


def _sent(door: Door, secret: str) -> list[CommandRequest[Any]]:
    """Send the same command twice."""
    with ThreadPoolExecutor(1) as threads:
        known = authentication(door.log, lambda: door.now, threads)
        message = CommandMessage[Any](
            incident=REF,
            credential=Credential(kind="token", secret=secret),
            body=Acknowledge(),
        )

        async def twice() -> list[CommandRequest[Any]]:
            return [await known.request(message) for _ in "ab"]

        return asyncio.run(twice())


def test_a_command_of_somebody_without_limits_reads_who_sends_it_and_nothing_else(
    transactions: list[object], door: Door
) -> None:
    door.grants("ada")
    ada = door.begins(Start("person:ada", "link"))
    transactions.clear()

    first, second = _sent(door, ada.secret)

    assert (first.scopes, second.scopes) == (("agent",), ("agent",))
    assert len(transactions) == 2


def test_a_command_of_somebody_with_a_limit_is_compared_with_the_record(
    door: Door,
) -> None:
    door.grants("bo")
    door.grants("bo", "manager", OURS)
    bo = door.begins(Start("person:bo", "link"))

    with pytest.raises(HttpError) as refused:
        _sent(door, bo.secret)

    assert refused.value.details.status == 404


def test_that_a_credential_is_used_is_recorded_once_a_minute(
    transactions: list[object], door: Door
) -> None:
    door.grants("cleo")
    secret = door.begins(Start("person:cleo", "link")).secret
    door.passes(minutes=2)

    asked = []
    for seconds in (0, 10, 49, 2):
        door.passes(seconds=seconds)
        transactions.clear()
        assert door.caller(secret)
        asked.append(len(transactions))

    assert asked == [2, 1, 1, 2]
