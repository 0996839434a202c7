"""A record this version cannot read is a problem of its own; nobody else waits."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.intake.commands import store as commands_store
from services.intake.records.signal import Signal, signal_key
from services.intake.signals import batch as signals_batch
from services.intake.signals.rules.context import Correlated, KeyRow
from services.intake.signals.rules.correlation import correlate
from services.intake.signals.schemas import TIMER, Delivery, Result, TimePassed
from services.intake.source_api.explain_endpoints import decisions
from services.intake.telemetry import Commits
from shared.domain.commands.incident import Acknowledge, Inform, Link, Merge, Resolve
from shared.domain.commands.problem import IdentifyProblem, PublishWorkaround
from shared.domain.events.incident_ties import IncidentAbsorbed
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, RecordAnswer
from shared.vault.vault import VaultError
from tests.integration.intake.commands.test_commands import wanted
from tests.integration.intake.conftest import NOW, Hands
from tests.integration.intake.signals.test_receiving import count
from tests.support.faults.later_version import upgraded, write_unknown

pytestmark = pytest.mark.servers

INC = "INC-000001"


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
        assert isinstance(each, HttpError), each
        assert each.details.status == 503
        assert each.details.code == "record_unreadable"
        assert each.details.retry_after
        assert INC in each.details.detail


def test_a_mistake_of_ours_over_one_signal_fails_no_other(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    _mistaken_about("poison", monkeypatch)
    mates = [delivery(signal(f"web-{n}")) for n in range(9)]

    *taken, failed = hands.receiver.flush([*mates, delivery(signal("poison"))])

    assert [r.status for each in taken for r in _results(each)] == ["opened"] * 9
    assert isinstance(failed, AssertionError)


def test_of_one_request_only_the_element_at_fault_is_set_aside(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    _mistaken_about("poison", monkeypatch)
    heard = (signal("web-1"), signal("poison"), signal("web-2"))
    whole = Delivery("demo", "native", b"[]", 0, heard, NOW, told=True, elements=3)

    results = flush(hands, whole)

    assert [r.status for r in results] == ["opened", "quarantined", "opened"]
    assert [r.index for r in results] == [0, 1, 2]
    assert "our mistake" in str(results[1].error)


def test_what_a_part_of_a_batch_came_to_stays_if_the_server_goes_away(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def goes(row: KeyRow, heard: Signal, *more: Any) -> Correlated:
        if heard.dedup_key == "poison":
            raise LookupError
        if heard.dedup_key == "late":
            raise Unavailable
        return correlate(row, heard, *more)

    monkeypatch.setattr(signals_batch, "correlate", goes)

    keys = ("web-1", "poison", "web-2", "late")
    answers = hands.receiver.flush([delivery(signal(key)) for key in keys])

    kinds = [type(answer) for answer in answers]
    assert kinds == [list, LookupError, Unavailable, Unavailable]


def test_what_commands_came_to_stays_if_the_server_goes_away_after_it(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that moves keys has a transaction of its own, after the others."""

    def goes(_: object, events: Sequence[object]) -> bool:
        if any(isinstance(event, IncidentAbsorbed) for event in events):
            raise Unavailable
        return False

    flush(hands, delivery(signal("db")), delivery(signal("web")))
    monkeypatch.setattr(commands_store, "move_keys", goes)
    commits = Commits(hands.log)

    merged, acknowledged = commits.watched(hands.commands.flush)(
        [wanted(Merge(into=INC), "INC-000002"), wanted(Acknowledge(), INC)]
    )

    assert isinstance(merged, Unavailable)
    assert isinstance(acknowledged, CommandAnswer)
    assert commits.failed_total == 1


def _mistaken_about(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rules fail over one key by an error that nobody foresaw."""

    def mistaken(row: KeyRow, heard: Signal, *more: Any) -> Correlated:
        assert heard.dedup_key != key
        return correlate(row, heard, *more)

    monkeypatch.setattr(signals_batch, "correlate", mistaken)


def test_words_of_a_row_that_do_not_open_hold_up_that_key_alone(
    hands: Hands, owner: EventLog
) -> None:
    flush(hands, delivery(signal("db"), signal("web")))
    _hold(owner, "db", "v1.0123456789abcdef.AAAA")

    db, web = flush(hands, delivery(signal("db"), signal("web")))

    assert (db.status, web.status) == ("quarantined", "duplicate")
    assert "VaultError" in str(db.error)
    (decision,) = decisions(owner, ["demo"], "db")
    assert "cannot be read at present (VaultError" in decision.sentence


def _hold(owner: EventLog, key: str, sealed: str | None) -> None:
    with owner.transaction() as cursor:
        cursor.execute(
            "UPDATE intake.signal_keys SET held = %s WHERE signal_key = %s",
            (sealed, signal_key("demo", key)),
        )


def test_an_actor_whose_key_does_not_open_fails_no_other(
    unreadable: Hands, owner: EventLog
) -> None:
    """Its key was wrapped by another master key: nothing can be sealed under it."""
    flush(unreadable, delivery(signal("web-1")), delivery(signal("web-2")))
    with owner.transaction() as cursor:
        cursor.execute(
            "INSERT INTO vault.keys (key_id, owner, wrapped, created_at) "
            "VALUES ('0123456789abcdef', 'person:lost', 'garbage', now())"
        )

    lost, done = unreadable.commands.flush(
        [
            wanted(Inform(message="hello"), "INC-000002", actor="person:lost"),
            wanted(Inform(message="hello"), "INC-000003"),
        ]
    )

    assert isinstance(lost, VaultError)
    assert isinstance(done, CommandAnswer)


def test_an_unreadable_escalation_fails_only_who_needs_it(
    unreadable: Hands, owner: EventLog
) -> None:
    flush(unreadable, *(delivery(signal(f"web-{n}")) for n in (1, 2, 3)))
    unreadable.commands.flush([wanted(Acknowledge(), "INC-000004")])
    for ref in ("INC-000002", "INC-000004"):
        write_unknown(owner, f"escalation-{ref}")

    no, done, informed, resolved = unreadable.commands.flush(
        [
            wanted(Acknowledge(), "INC-000002"),
            wanted(Acknowledge(), "INC-000003"),
            wanted(Inform(message="we look"), "INC-000002"),
            wanted(Resolve(force=True, reason="swapped"), "INC-000004"),
        ]
    )

    assert isinstance(no, HttpError)
    assert no.details.code == "record_unreadable"
    assert isinstance(done, CommandAnswer)
    assert isinstance(informed, CommandAnswer)
    assert isinstance(resolved, CommandAnswer)  # only its level is not known


def test_time_that_cannot_pass_for_one_passes_for_all_others(
    unreadable: Hands, owner: EventLog
) -> None:
    flush(unreadable, delivery(signal("web")))
    timers = tuple(TimePassed(signal_key("demo", key), "demo") for key in ("db", "web"))
    with owner.transaction() as cursor:
        cursor.execute("UPDATE intake.signal_keys SET due_at = %s", (NOW,))

    db, web = flush(unreadable, Delivery("demo", TIMER, b"", 0, timers, NOW))

    assert f"{INC} cannot be read" in str(db.error)
    assert web.error is None


def test_a_problem_or_change_that_is_unreadable_fails_its_own_commands(
    hands: Hands, owner: EventLog
) -> None:
    problems = hands.commands.flush(
        [wanted(IdentifyProblem(title="leaks", service="web"), None) for _ in range(2)]
    )
    first, second = (_record(each) for each in problems)
    write_unknown(owner, f"problem-{first}")

    no, done = hands.commands.flush(
        [
            wanted(PublishWorkaround(text="restart it"), first),
            wanted(PublishWorkaround(text="restart it"), second),
        ]
    )

    assert isinstance(no, HttpError)
    assert no.details.code == "record_unreadable"
    assert isinstance(done, RecordAnswer)


def _record(answer: object) -> str:
    assert isinstance(answer, RecordAnswer), answer
    return answer.record
