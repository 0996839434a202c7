"""What a service says about itself, in words for the doctor and for a failed start."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain, count, repeat
from threading import Thread

import pytest

from standalone import readiness
from standalone.readiness import (
    _alarms,
    _told,
    _unwitnessed,
    _waits_for,
    ask_ready,
    cpu_seconds,
    wait_until_ready,
)
from standalone.startup_error import StartupError

PATIENCE = 1.0
"""Seconds: of ten answers, each of which takes a tenth of them by the clock here."""


@pytest.fixture(autouse=True)
def _each_answer_takes_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def asked(port: int) -> readiness.Answer:
        now[0] += PATIENCE / 10
        return ask_ready(port)

    monkeypatch.setattr(readiness, "ask_ready", asked)
    monkeypatch.setattr(readiness, "monotonic", lambda: now[0])
    monkeypatch.setattr(readiness, "_LOOK_EVERY", 0)


def test_two_parts_of_one_name_are_told_apart() -> None:
    checks = [
        {"kind": "reader", "name": "escalation", "ready": True, "lag_events": 0},
        {"kind": "timers", "name": "escalation", "ready": True},
        {"kind": "outbox", "name": "outbox", "ready": True},
    ]

    assert _told(json.dumps({"status": "ready", "checks": checks}).encode()) == (
        "reader escalation ready, 0 events behind; timers escalation ready; "
        "outbox ready"
    )


def test_a_reader_tells_how_far_behind_it_is_and_what_it_set_aside() -> None:
    checks = [
        {"name": "queue", "ready": True, "lag_events": 0, "parked_streams": 0.0},
        {"name": "timeline", "ready": False, "lag_events": 70, "parked_streams": 2.0},
        {"name": "events", "ready": True, "leads": 1.0},
    ]

    assert _told(json.dumps({"status": "not ready", "checks": checks}).encode()) == (
        "queue ready, 0 events behind; "
        "timeline not ready, 70 events behind, 2 streams parked; "
        "events ready"
    )


def test_what_is_not_ready_says_why() -> None:
    checks = [{"kind": "continuity", "name": "log", "ready": False, "why": "run it"}]

    assert _told(json.dumps({"status": "not ready", "checks": checks}).encode()) == (
        "continuity log not ready (run it)"
    )


@pytest.mark.parametrize("seen", ["nothing: no file", "NATS"])
def test_what_the_log_was_compared_with_is_told(seen: str) -> None:
    check = {"kind": "continuity", "name": "log", "ready": True, "compared_with": seen}
    body = json.dumps({"checks": [check]}).encode()

    assert _told(body) == f"continuity log ready, compared with {seen}"
    assert _unwitnessed(body) == (seen != "NATS")
    assert not _unwitnessed(b"<html>")


def test_an_alarm_is_told_of_a_service_that_is_ready() -> None:
    told = {"kind": "outbox", "name": "out", "ready": True, "alarm": "no mail server"}
    body = json.dumps({"checks": [told]}).encode()

    assert _told(body) == "outbox out ready"
    assert _alarms(body) == {"outbox": "no mail server"}
    assert _alarms(b"<html>") == {}


def test_alarms_of_several_parts_of_a_kind_are_all_told() -> None:
    queue = {"kind": "reader", "name": "queue", "ready": True, "alarm": "queue: 1"}
    words = {"kind": "reader", "name": "words", "ready": True, "alarm": "words: 2"}

    told = _alarms(json.dumps({"checks": [queue, words]}).encode())

    assert told == {"reader": "queue: 1; words: 2"}


def test_a_service_that_waits_for_a_person_is_up() -> None:
    """Whatever else is red: readers stop and nobody relays until that is done."""
    restored = {"kind": "continuity", "name": "log", "ready": False, "why": "run it"}
    behind = {"kind": "reader", "name": "queue", "ready": False, "lag_events": 70}

    assert _waits_for(json.dumps({"checks": [restored]}).encode()) == "run it"
    assert _waits_for(json.dumps({"checks": [behind, restored]}).encode()) == "run it"
    assert not _waits_for(json.dumps({"checks": [behind]}).encode())
    assert not _waits_for(b"<html>")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"checks": [1]}', b""])
def test_anything_else_is_shown_as_it_is(body: bytes) -> None:
    assert _told(body) == body.decode()


def test_what_is_shown_has_a_limit() -> None:
    assert len(_told(b"x" * 10_000)) == 500


def reading(*behind: int) -> AbstractContextManager[int]:
    """Run a service that is so many events behind, answer by answer; give its port."""
    return answering(
        *({"name": "queue", "ready": lag == 0, "lag_events": lag} for lag in behind)
    )


def building(*done: tuple[int, int, int]) -> AbstractContextManager[int]:
    """Run a service whose builds are so far, and which is ready once one has 20 parts.

    Give its port.
    """
    checks: list[dict[str, object]] = [
        {
            "name": "queue",
            "ready": False,
            "build_step": step,
            "build_done": parts,
            "build_moves": moves,
            "why": f"{parts} of 20",
        }
        for step, parts, moves in done
    ]
    if done[-1][1] == 20:
        checks.append({"name": "queue", "ready": True})
    return answering(*checks)


@contextmanager
def answering(*checks: dict[str, object] | None) -> Iterator[int]:
    """Run a service that reports each of these in turn, and the last for ever.

    For None it does not answer.
    """
    left = chain(checks, repeat(checks[-1]))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            check = next(left)
            if check is None:
                return
            self.send_response(200 if check["ready"] else 503)
            self.end_headers()
            self.wfile.write(json.dumps({"checks": [check]}).encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def until_ready(port: int) -> list[str]:
    """Return what it tells meanwhile."""
    told: list[str] = []
    waiting = wait_until_ready(
        "it", port, os.getpid, lambda: True, patience=PATIENCE, tell=told.append
    )
    asyncio.run(waiting)
    return told


def test_who_reads_a_long_log_is_waited_for_as_long_as_it_comes_nearer() -> None:
    with reading(*range(20, -1, -1)) as port:
        until_ready(port)


def test_who_builds_tables_is_waited_for_as_long_as_they_grow() -> None:
    parts = [(0, n, 0) for n in range(8)]
    index = [(1, 0, n) for n in range(100, 108)]
    with building(*parts, *index, *((1, n, 0) for n in range(1, 21))) as port:
        assert until_ready(port)[0] == "builds queue: 0 of 20"


def test_who_begins_the_same_again_and_again_is_given_up() -> None:
    again = [(1, 0, n % 3) for n in range(100)]
    with building((0, 5, 0), *again) as port, pytest.raises(StartupError):
        until_ready(port)


@pytest.mark.parametrize(
    ("silent", "works", "is_up"),
    [
        pytest.param(25, 0.05, True, id="who works is waited for"),
        pytest.param(15, 0.0, False, id="who does nothing is given up"),
        pytest.param(40, 0.05, False, id="who only works is given up in the end"),
    ],
)
def test_before_it_first_answers(
    silent: int, works: float, is_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = count(0, works)
    monkeypatch.setattr(readiness, "cpu_seconds", lambda _: next(used))
    told = *repeat(None, silent), {"name": "it", "ready": True}

    with answering(*told) as port, nullcontext() if is_up else given_up():
        until_ready(port)


def given_up() -> AbstractContextManager[object]:
    return pytest.raises(StartupError, match="did not become ready")


def test_the_work_of_a_process_is_its_cpu_time() -> None:
    assert cpu_seconds(os.getpid()) > 0
    assert cpu_seconds(None) == 0


def test_who_comes_no_nearer_is_given_up() -> None:
    with (
        reading(20, 19, 19) as port,
        pytest.raises(StartupError, match="19 events behind"),
    ):
        until_ready(port)
