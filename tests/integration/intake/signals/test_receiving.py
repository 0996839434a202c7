"""What comes in is committed once, whoever sends it and however often."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from services.intake.records.signal import Signal
from services.intake.signals.schemas import Delivery, Rejected, Result
from shared.domain.bounded_text import REASON_MAX
from shared.domain.events.incident import IncidentAcknowledged
from tests.integration.intake.conftest import NOW, Hands, hands_on
from tests.support.servers.servers import Database

DISK = Signal(
    source="demo", dedup_key="web-1/disk", action="trigger", title="disk full"
)
ACKNOWLEDGED = IncidentAcknowledged(
    incident="INC-000001", at=NOW, by="person:nadia", policy=1
)
DISK_OK = Signal(source="demo", dedup_key="web-1/disk", action="resolve", title="ok")


def delivery(*heard: Signal | Rejected, told: bool = True) -> Delivery:
    body = repr(heard).encode()
    return Delivery("demo", "native", body, 0, heard, NOW, told)


def receive(hands: Hands, *heard: Signal | Rejected) -> list[Result]:
    (results,) = hands.receiver.flush([delivery(*heard)])
    assert isinstance(results, list)
    return results


def receive_untold(hands: Hands, *heard: Signal | Rejected) -> list[Result]:
    (results,) = hands.receiver.flush([delivery(*heard, told=False)])
    assert isinstance(results, list)
    return results


def types(hands: Hands) -> Sequence[str]:
    return [entry.type for entry in hands.log.since(1, 100)]


def count(hands: Hands, table: str) -> int:
    with hands.log.transaction() as cursor:
        row = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row
    return int(row[0])


def test_a_signal_opens_an_incident_and_hears_where_it_is(hands: Hands) -> None:
    (result,) = receive(hands, DISK)

    assert (result.status, result.incident) == ("opened", "INC-000001")
    (entry,) = hands.log.history("incident-INC-000001")
    assert entry.position == result.position


def test_a_repeat_changes_nothing_and_appends_nothing(hands: Hands) -> None:
    receive(hands, DISK)

    statuses = [receive(hands, DISK)[0].status for _ in range(3)]

    assert statuses == ["duplicate"] * 3
    assert types(hands) == ["incident.opened"]


def test_repeats_within_one_batch_open_one_incident(hands: Hands) -> None:
    results = receive(hands, DISK, DISK, DISK)

    assert [r.status for r in results] == ["opened", "duplicate", "duplicate"]
    assert {r.incident for r in results} == {"INC-000001"}


def test_a_recovery_restores_and_resolves_what_nobody_reported(hands: Hands) -> None:
    receive(hands, DISK)

    (result,) = receive(hands, DISK_OK)

    assert result.status == "recovered"
    assert types(hands) == [
        "incident.opened",
        "incident.recovered",
        "incident.restored",
        "incident.resolved",
    ]
    assert result.position == 5  # after the policy and these four


def test_an_event_id_is_taken_once_and_answers_the_same(hands: Hands) -> None:
    named = DISK.model_copy(update={"event_id": "e-1"})
    (first,) = receive(hands, named)
    receive(hands, DISK_OK)

    (again,) = receive(hands, named)

    assert again.status == "duplicate"
    assert (again.incident, again.position) == (first.incident, first.position)
    assert "incident.reopened" not in types(hands)


def test_an_event_id_repeated_in_one_batch_is_taken_once(hands: Hands) -> None:
    named = DISK.model_copy(update={"event_id": "e-1"})

    first, again = receive(hands, named, named)

    assert (first.status, again.status) == ("opened", "duplicate")
    assert first.position == again.position
    assert count(hands, "intake.requests") == 1


def test_two_workers_with_one_new_trouble_open_one_incident(ruled: Database) -> None:
    workers = [hands_on(ruled) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda worker: receive(worker, DISK), workers))

    statuses = sorted(result.status for (result,) in lists)
    assert statuses == ["duplicate"] * 7 + ["opened"]
    assert types(workers[0]) == ["incident.opened"]


def test_batches_of_the_same_troubles_in_any_order_never_deadlock(
    ruled: Database,
) -> None:
    workers = [hands_on(ruled) for _ in range(4)]
    troubles = [
        DISK.model_copy(update={"dedup_key": f"web-{n}", "event_id": None})
        for n in range(40)
    ]

    def storm(n: int) -> set[str]:
        ordered = troubles[n * 10 :] + troubles[: n * 10]
        return {
            result.status
            for _ in range(5)
            for result in receive(workers[n], *(ordered if n % 2 else ordered[::-1]))
        }

    with ThreadPoolExecutor(4) as pool:
        statuses = set().union(*pool.map(storm, range(4)))

    assert statuses == {"opened", "duplicate"}
    assert types(workers[0]) == ["incident.opened"] * 40


def test_a_body_repeated_in_a_day_is_stored_once_and_sealed(hands: Hands) -> None:
    receive(hands, DISK)
    receive(hands, DISK)

    with hands.log.transaction() as cursor:
        rows = cursor.execute("SELECT sealed FROM intake.raw_bodies").fetchall()
    assert len(rows) == 1
    assert "disk" not in rows[0][0]


def test_a_bad_element_is_told_and_does_not_fail_the_others(hands: Hands) -> None:
    good, bad, also_good = receive(
        hands, DISK, Rejected(1, "has no title", ("title",)), DISK_OK
    )

    assert (good.status, bad.status, also_good.status) == (
        "opened",
        "rejected",
        "recovered",
    )
    assert bad.error == "title: has no title"


def test_what_cannot_be_mapped_is_quarantined_where_nobody_is_told(
    hands: Hands,
) -> None:
    odd = Rejected(0, "has no labels", ("alerts", 0))
    for _ in range(2):
        (results,) = hands.receiver.flush([delivery(odd, told=False)])
        assert isinstance(results, list)
        assert results[0].status == "quarantined"

    assert count(hands, "intake.quarantine") == 1
    assert count(hands, "intake.quarantined_bodies") == 1


def test_a_command_that_comes_between_is_seen_and_nothing_is_lost(
    ruled: Database,
) -> None:
    mine, rival = hands_on(ruled), hands_on(ruled)
    receive(mine, DISK)
    entered = iter([True])
    processed = mine.receiver._processed

    def reckon_while_a_rival_writes(*args: object) -> object:
        batch = processed(*args)  # type: ignore[arg-type]
        if next(entered, False):
            rival.log.record("incident-INC-000001", 1, [ACKNOWLEDGED])
        return batch

    mine.receiver._processed = reckon_while_a_rival_writes  # type: ignore[method-assign,assignment]
    (result,) = receive(mine, DISK_OK)

    assert result.status == "recovered"
    assert types(mine)[:3] == [
        "incident.opened",
        "incident.acknowledged",
        "incident.recovered",
    ]


def test_signals_too_many_for_one_transaction_are_taken_in_several(
    hands: Hands,
) -> None:
    labels = {f"label-{n}": "x" * 1_000 for n in range(14)}
    large = [
        DISK.model_copy(update={"dedup_key": f"web-{n}", "labels": labels})
        for n in range(120)
    ]

    results = receive(hands, *large)

    assert {result.status for result in results} == {"opened"}
    assert [result.index for result in results] == list(range(120))
    assert types(hands) == ["incident.opened"] * 100  # a page
    assert count(hands, "intake.raw_bodies") == 1


def test_the_signals_of_several_senders_fail_none_of_them_by_their_size(
    hands: Hands,
) -> None:
    labels = {f"label-{n}": "x" * 1_000 for n in range(14)}
    deliveries = [
        delivery(DISK.model_copy(update={"dedup_key": f"web-{n}", "labels": labels}))
        for n in range(80)
    ]

    answers = hands.receiver.flush(deliveries)

    assert all(isinstance(answer, list) for answer in answers)
    assert count(hands, "intake.signal_keys") == 80


def test_an_element_is_kept_whatever_its_sender_calls_its_fields(hands: Hands) -> None:
    strange = Rejected(0, "there is no such field: remove it", ("a\x00b" * 50_000,))

    (result,) = receive_untold(hands, strange)

    assert result.status == "quarantined"
    with hands.log.transaction() as cursor:
        row = cursor.execute("SELECT reason FROM intake.quarantine").fetchone()
    assert row
    assert row[0].startswith("a b")
    assert len(row[0]) == REASON_MAX


def test_a_delivery_we_cannot_take_fails_alone(hands: Hands) -> None:
    cursed = replace(delivery(DISK.model_copy(update={"source": "a/b"})), source="a/b")
    others = [delivery(DISK), delivery(Rejected(0, "no"), told=False), delivery(DISK)]

    answers = hands.receiver.flush([*others[:2], cursed, others[2]])

    assert isinstance(answers[2], ValueError)
    statuses = [a[0].status for a in answers if not isinstance(a, Exception)]
    assert statuses == ["opened", "quarantined", "duplicate"]


def test_a_body_is_hashed_once_however_many_elements_it_has(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, hashed = Delivery.digest.fget, []  # type: ignore[attr-defined] # a property

    def counted(each: Delivery) -> bytes:
        hashed.append(each)
        return bytes(digest(each))

    monkeypatch.setattr(Delivery, "digest", property(counted))

    results = receive_untold(hands, *(Rejected(n, "no") for n in range(200)))

    assert {result.status for result in results} == {"quarantined"}
    assert len(hashed) <= 2
    assert count(hands, "intake.quarantine") == 200
