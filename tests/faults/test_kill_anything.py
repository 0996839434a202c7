"""Under load, anything is killed, wiped or frozen; then the books are balanced.

Seeded: a failure prints its seed, `FAULTS_SEED=… make faults` plays it again. The short
form is part of `make test`, the long one is `make faults`.
"""

import os
from collections.abc import Callable, Iterator
from random import Random
from threading import Event

import pytest

from tests.support.desks.running import TWIN, Desk, running_desk
from tests.support.faults.load import Load
from tests.support.faults.verdict import assert_books_balance
from tests.support.folders import reachable_folder

pytestmark = pytest.mark.servers

LONG = os.environ.get("FAULTS") == "long"
ROUNDS = 40 if LONG else 13
FROZEN_SECONDS_MAX = 9.0 if LONG else 3.0
"""At the longest more than a lease lasts."""
SEED = int(os.environ.get("FAULTS_SEED", "20250630"))
PROCESSES = (
    "intake",
    f"intake{TWIN}",
    "sla_watcher",
    "escalation",
    "projections",
    f"projections{TWIN}",
)
Fault = Callable[[Desk, Random], None]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with (
        reachable_folder() as folder,
        running_desk(folder, durable=True, start=PROCESSES) as desk,
    ):
        yield desk


def rest(random: Random, most: float) -> None:
    """Let the others work for a moment that the seed chooses."""
    Event().wait(random.uniform(0, most))


def kill(name: str) -> Fault:
    def fault(desk: Desk, random: Random) -> None:
        desk.services[name].kill()
        rest(random, 1.0)
        desk.services[name].start()

    return fault


def freeze(name: str) -> Fault:
    """Longer than a standby of a reader waits: what thaws is a zombie."""

    def fault(desk: Desk, random: Random) -> None:
        desk.services[name].freeze()
        rest(random, FROZEN_SECONDS_MAX)
        desk.services[name].thaw()

    return fault


def kill_nats(desk: Desk, random: Random) -> None:
    desk.nats.kill()
    rest(random, 2.0)
    desk.nats.start().wait()


def kill_postgres(desk: Desk, random: Random) -> None:
    desk.postgres.kill()
    rest(random, 1.5)
    desk.postgres.start().wait()


def wipe(desk: Desk, random: Random) -> None:
    rest(random, 0.2)
    desk.nats.wipe()


FAULTS: dict[str, Fault] = {
    **{f"kill {name}": kill(name) for name in PROCESSES},
    "freeze projections": freeze("projections"),
    "freeze intake": freeze("intake"),
    "freeze escalation": freeze("escalation"),
    "freeze sla_watcher": freeze("sla_watcher"),
    "kill nats-server": kill_nats,
    "kill PostgreSQL": kill_postgres,
    "wipe JetStream": wipe,
}


def test_whatever_dies_what_was_promised_is_kept(desk: Desk) -> None:
    random = Random(SEED)  # noqa: S311 # a game, to be played again
    plan = planned(random)
    print(f"\nFAULTS_SEED={SEED}: {', '.join(plan)}")  # noqa: T201 # to be repeated
    load = Load(desk, SEED)
    load.start()
    for name in plan:
        rest(random, 1.0)
        FAULTS[name](desk, random)
        rest(random, 1.0)
    desk.wait_ready(PROCESSES)
    promised = load.finish()

    assert len(promised.events) > ROUNDS
    assert promised.commands
    assert_books_balance(desk, promised)
    for name in PROCESSES:
        assert "Traceback" not in desk.output(name), desk.output(name)[-4000:]


def planned(random: Random) -> list[str]:
    """Return the faults of this game: each once before any comes again."""
    plan: list[str] = []
    while len(plan) < ROUNDS:
        names = list(FAULTS)
        random.shuffle(names)
        plan += names
    return plan[:ROUNDS]


@pytest.mark.skipif(not LONG, reason="takes four minutes: `make faults`")
def test_three_minutes_without_nats_lose_nothing(desk: Desk) -> None:
    load = Load(desk, SEED + 1)
    load.start()
    desk.nats.kill()
    Event().wait(180)
    desk.nats.start().wait()
    desk.wait_ready(PROCESSES)
    promised = load.finish()

    assert len(promised.events) > 100
    assert_books_balance(desk, promised)
