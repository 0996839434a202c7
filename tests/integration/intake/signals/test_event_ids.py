"""An event id acts once: also under another dedup key, on another day, at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.records.signal import Signal, signal_key
from services.intake.signals.key_rows import read_keys
from services.intake.signals.schemas import Delivery, Result
from tests.integration.intake.conftest import NOW, Hands, hands_on
from tests.integration.intake.signals.test_receiving import count, types
from tests.support.examples import examples_with_servers
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

MIDNIGHT = NOW.replace(hour=0) + timedelta(days=1)
WORKERS = 4
IDS = [f"e-{n}" for n in range(6)]
KEYS = [f"web-{n}" for n in range(6)]


def named(event_id: str, key: str) -> Delivery:
    signal = Signal(
        source="demo", dedup_key=key, action="trigger", title=key, event_id=event_id
    )
    body = f"{event_id} {key}".encode()
    return Delivery("demo", "native", body, 0, (signal,), NOW, told=True)


def at_once(
    workers: Sequence[Hands], batches: Sequence[Sequence[Delivery]]
) -> list[list[Result]]:
    """Let each worker take its batch while the others take theirs."""
    barrier = Barrier(len(workers))

    def take(worker: Hands, batch: Sequence[Delivery]) -> list[Result]:
        barrier.wait(60)
        answers = worker.receiver.flush(batch)
        results: list[Result] = []
        for answer in answers:
            assert isinstance(answer, list), repr(answer)
            results += answer
        return results

    with ThreadPoolExecutor(len(workers)) as pool:
        return list(pool.map(take, workers, batches))


def test_one_id_under_two_keys_at_two_workers_acts_once(ruled: Database) -> None:
    workers = [hands_on(ruled), hands_on(ruled)]
    for round_ in range(20):
        event_id = f"e-{round_}"
        taken = at_once(
            workers,
            [[named(event_id, f"{n}/{round_}")] for n in range(len(workers))],
        )

        statuses = sorted(one.status for results in taken for one in results)
        assert statuses == ["duplicate", "opened"], round_
        assert len({one.incident for results in taken for one in results}) == 1
    assert types(workers[0]) == ["incident.opened"] * 20


def test_one_id_before_and_after_midnight_acts_once(ruled: Database) -> None:
    workers = [hands_on(ruled), hands_on(ruled)]
    for round_ in range(20):
        first = named(f"e-{round_}", f"evening/{round_}")
        second = named(f"e-{round_}", f"morning/{round_}")
        taken = at_once(
            workers,
            [
                [replace(first, received_at=MIDNIGHT - timedelta(seconds=1))],
                [replace(second, received_at=MIDNIGHT)],
            ],
        )

        statuses = sorted(one.status for results in taken for one in results)
        assert statuses == ["duplicate", "opened"], round_
    assert count(workers[0], "intake.requests") == 20


@pytest.fixture
def workers(ruled: Database) -> Sequence[Hands]:
    return [hands_on(ruled) for _ in range(WORKERS)]


_deliveries = st.lists(
    st.builds(named, st.sampled_from(IDS), st.sampled_from(KEYS)), max_size=8
)


@examples_with_servers(15)
@given(batches=st.lists(_deliveries, min_size=WORKERS, max_size=WORKERS))
def test_whatever_workers_take_at_once_each_id_acts_once(
    workers: Sequence[Hands], batches: Sequence[Sequence[Delivery]]
) -> None:
    run = workers[0].log.head().position  # ids of this example alone
    fresh = [[_of_run(each, run) for each in batch] for batch in batches]

    at_once(workers, fresh)

    ids = {signal_of(each).event_id for batch in fresh for each in batch}
    assert acted(workers[0], [each for batch in fresh for each in batch]) == len(ids)


def acted(hands: Hands, deliveries: Sequence[Delivery]) -> int:
    """Return how many signals acted: each opened an incident, or was counted."""
    signals = map(signal_of, deliveries)
    keys = sorted({signal_key(each.source, each.dedup_key) for each in signals})
    with hands.log.transaction() as cursor:
        rows = read_keys(cursor, keys, hands.log.vault).keys.values()
    return sum(1 + row.repeats for row in rows if row.state == "firing")


def signal_of(delivery: Delivery) -> Signal:
    (signal,) = delivery.heard
    assert isinstance(signal, Signal)
    return signal


def _of_run(delivery: Delivery, run: int) -> Delivery:
    signal = signal_of(delivery)
    own = signal.model_copy(
        update={
            "event_id": f"{run}/{signal.event_id}",
            "dedup_key": f"{run}/{signal.dedup_key}",
        }
    )
    return replace(delivery, heard=(own,), body=f"{run} {delivery.body!r}".encode())
