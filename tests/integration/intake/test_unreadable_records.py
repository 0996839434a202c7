"""A record this version cannot read is a problem of its own; nobody else waits."""

from collections.abc import Iterator

import pytest

from services.intake.delivery import Delivery, Result
from services.intake.signals import Signal
from shared.command import CommandAnswer
from shared.event_log import EventLog
from shared.problem import Problem
from shared.wishes import Acknowledge, Link, Merge
from tests.integration.intake.conftest import MASTER, NOW, Hands
from tests.integration.intake.test_commanding import wanted
from tests.integration.intake.test_receiving import count
from tests.support.later_version import upgraded, write_unknown
from tests.support.servers import Database

pytestmark = pytest.mark.servers

INC = "INC-000001"


@pytest.fixture
def owner(ruled: Database) -> Iterator[EventLog]:
    log = EventLog.open(ruled.owner_dsn, master=MASTER, clock=lambda: NOW)
    yield log
    log.close()


def signal(key: str, action: str = "trigger", event_id: str | None = None) -> Signal:
    return Signal(
        source="demo",
        dedup_key=key,
        action=action,
        title=f"{key} is down",
        event_id=event_id,
    )


def delivery(*heard: Signal) -> Delivery:
    body = repr(heard).encode()
    return Delivery("demo", "native", body, 0, heard, NOW, told=True)


def flush(hands: Hands, *deliveries: Delivery) -> list[Result]:
    taken = hands.receiver.flush(deliveries)
    return [one for each in taken for one in _results(each)]


def _results(answer: list[Result] | Exception) -> list[Result]:
    assert isinstance(answer, list), repr(answer)
    return answer


@pytest.fixture
def unreadable(hands: Hands, owner: EventLog) -> Hands:
    """Give a worker before an incident of `db` with an event of an unknown type."""
    flush(hands, delivery(signal("db")))
    write_unknown(owner, f"incident-{INC}")
    return hands


def test_signals_beside_one_for_an_unreadable_incident_are_taken(
    unreadable: Hands,
) -> None:
    mates = [delivery(signal(f"web-{n}")) for n in range(20)]

    results = flush(unreadable, *mates[:10], delivery(signal("db")), *mates[10:])

    statuses = [result.status for result in results]
    assert statuses == ["opened"] * 10 + ["quarantined"] + ["opened"] * 10
    assert results[10].error is not None
    assert f"{INC} cannot be read" in results[10].error
    assert "UnknownEvent" in results[10].error
    assert count(unreadable, "intake.quarantine") == 1


def test_elements_of_one_request_beside_it_are_taken(unreadable: Hands) -> None:
    heard = [signal(f"web-{n}") for n in range(5)]

    results = flush(unreadable, delivery(*heard, signal("db")))

    assert [r.status for r in results] == ["opened"] * 5 + ["quarantined"]


def test_a_later_signal_of_the_same_key_waits_behind_it(
    unreadable: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush(unreadable, delivery(signal("db")))
    monkeypatch.setitem(*upgraded())

    (recovery,) = flush(unreadable, delivery(signal("db", "resolve")))

    assert recovery.status == "quarantined"
    assert recovery.error is not None
    assert "waits behind" in recovery.error
    assert "incident.recovered" not in [e.type for e in unreadable.log.since(0, 99)]


def test_an_event_id_that_waits_is_known_when_it_comes_again(
    unreadable: Hands,
) -> None:
    named = signal("db", event_id="e-1")
    flush(unreadable, delivery(named))

    again, elsewhere = flush(
        unreadable, delivery(named), delivery(signal("web", event_id="e-1"))
    )

    assert (again.status, elsewhere.status) == ("duplicate", "duplicate")
    assert count(unreadable, "intake.quarantine") == 1


def test_a_command_to_it_is_told_to_come_again_and_its_mates_are_done(
    unreadable: Hands,
) -> None:
    flush(unreadable, delivery(signal("web-1")), delivery(signal("web-2")))
    asked = [
        wanted(Acknowledge(), "INC-000002"),
        wanted(Acknowledge(), INC),
        wanted(Merge(into=INC), "INC-000003"),
        wanted(Link(relation="related", target=INC), "INC-000003"),
        wanted(Acknowledge(), "INC-000003"),
    ]

    done, no, merged, linked, last = unreadable.commands.flush(asked)

    assert isinstance(done, CommandAnswer)
    assert isinstance(last, CommandAnswer)
    for each in (no, merged, linked):
        assert isinstance(each, Problem), each
        assert each.details.status == 503
        assert each.details.code == "record_unreadable"
        assert each.details.retry_after
        assert INC in each.details.detail
