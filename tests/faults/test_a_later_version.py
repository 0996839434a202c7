"""Under load a later version writes to live incidents; then this one is upgraded.

Signals for these incidents wait, all others are taken; nothing is lost, and the list is
empty once the type is known. Seeded as the other game; longer with `make faults`.
"""

import os
from collections.abc import Iterator
from random import Random
from threading import Event
from typing import Any

import httpx
import pytest

from services.intake.records.signal import signal_key
from shared.eventlog.log import EventLog
from tests.support.desks.running import TWIN, Desk, running_desk
from tests.support.faults.later_version import upgraded, write_unknown
from tests.support.faults.load import Load, Promised
from tests.support.faults.verdict import (
    all_rows,
    assert_log_is_whole,
    assert_promises_are_kept,
)
from tests.support.folders import reachable_folder
from tests.support.patience import until

pytestmark = pytest.mark.servers

LONG = os.environ.get("FAULTS") == "long"
ROUNDS = 20 if LONG else 3
SEED = int(os.environ.get("FAULTS_SEED", "20250630"))
INTAKES = ("intake", f"intake{TWIN}")
PROCESSES = (*INTAKES, "projections")
LATER = "tests.support.faults.later_intake"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with (
        reachable_folder() as folder,
        running_desk(folder, durable=True, start=PROCESSES) as desk,
    ):
        yield desk


def test_a_type_of_a_later_version_holds_up_its_own_incident_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(SEED)  # noqa: S311 # a game, to be played again
    load = Load(desk, SEED)
    load.start()
    poisoned: set[str] = set()
    for _ in range(ROUNDS):
        _others_are_taken(load)
        poisoned.add(random.choice(list(load.promised.opened)))
        for key in poisoned:
            _write_unknown(desk, load.promised.opened[key])
            _signal(desk, key)
        _kill_one(desk, random)
    _others_are_taken(load)
    waiting = _waiting(desk)
    assert waiting
    assert waiting <= {signal_key("demo", key) for key in poisoned}

    _upgrade(desk)
    until(lambda: not _waiting(desk), "what waited has gone on")
    promised = load.finish()
    until(lambda: not _waiting(desk), "nothing waits in the end")

    monkeypatch.setitem(*upgraded())
    _assert_nothing_is_missing(desk, promised)
    for name in INTAKES:
        assert "Traceback" not in desk.output(name), desk.output(name)[-4000:]


def _kill_one(desk: Desk, random: Random) -> None:
    name = random.choice(INTAKES)
    desk.services[name].kill()
    Event().wait(random.uniform(0, 1.0))
    desk.services[name].start()
    desk.wait_ready(PROCESSES)


def _assert_nothing_is_missing(desk: Desk, promised: Promised) -> None:
    log = desk.log()
    try:
        rows = all_rows(log)
        assert_log_is_whole(rows)
        assert_promises_are_kept(log, rows, promised)
        left = "SELECT event_id FROM intake.requests WHERE status = 'quarantined'"
        assert _asked(log, left) == []
    finally:
        log.close()


def _others_are_taken(load: Load) -> None:
    before = len(load.promised.opened)
    opened = load.promised.opened
    until(lambda: len(opened) > before + 20, "other signals are taken")


def _write_unknown(desk: Desk, incident: str) -> None:
    log = desk.log()
    try:
        until(lambda: _wrote(log, incident), "the event is in the log")
    finally:
        log.close()


def _wrote(log: EventLog, incident: str) -> bool:
    try:
        write_unknown(log, f"incident-{incident}")
    except AssertionError:  # intake was first: its version is taken
        return False
    return True


def _signal(desk: Desk, key: str) -> None:
    """Send one signal of a key, until one of the doors takes it."""
    event = {"action": "trigger", "title": key, "dedup_key": key, "service": "web"}
    headers = desk.bearer("source")

    def taken() -> bool:
        url = f"{desk.intake_url}/v1/events"
        try:
            answer = httpx.post(url, json=event, headers=headers, timeout=10)
        except httpx.HTTPError:
            return False
        return answer.status_code == 202

    until(taken, f"a signal of {key} is taken")


def _waiting(desk: Desk) -> set[str]:
    """Return the keys of which signals wait."""
    log = desk.log()
    try:
        rows = _asked(
            log, "SELECT signal_key FROM intake.quarantine WHERE state = 'waiting'"
        )
    finally:
        log.close()
    return {key for (key,) in rows}


def _asked(log: EventLog, query: str) -> list[tuple[Any, ...]]:
    with log.transaction() as cursor:
        return cursor.execute(query).fetchall()


def _upgrade(desk: Desk) -> None:
    for name in INTAKES:
        desk.services[name].stop()
        desk.services[name] = desk.services[name].of_module(LATER)
        desk.services[name].start()
    desk.wait_ready(INTAKES)
