"""What a process says of its health."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from shared.observability.health import Check, Health, Probe


def ask(asked: Sequence[Probe], *paths: str) -> list[httpx.Response]:
    """Ask a process with these probes for these paths, one after the other."""
    app = Starlette(routes=Health(asked, CollectorRegistry()).routes())

    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as web:
            return [await web.get(path) for path in paths]

    return asyncio.run(answers())


def saying(*checks: Check) -> list[Probe]:
    def probe(check: Check) -> Probe:
        async def answer() -> Check:
            return check

        return answer

    return [probe(check) for check in checks]


NEAR = Check("reader", "queue", True, {"state": "live"}, {"lag_events": 0.0})
FAR = Check("reader", "timeline", False, {"why": "behind"}, {"lag_events": 9.0})


def test_a_process_is_ready_when_all_its_parts_are() -> None:
    (answer,) = ask(saying(NEAR), "/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": [
            {
                "kind": "reader",
                "name": "queue",
                "ready": True,
                "state": "live",
                "lag_events": 0.0,
            }
        ],
    }


def test_one_part_that_is_far_behind_makes_it_unready_but_alive() -> None:
    ready, live = ask(saying(NEAR, FAR), "/health/ready", "/health/live")

    assert ready.status_code == 503
    assert live.status_code == 200


def test_an_alarm_is_reported_and_leaves_the_process_ready() -> None:
    outbox = Check("outbox", "escalation", True, alarm="a message has waited")

    ready, metrics = ask(saying(NEAR, outbox), "/health/ready", "/metrics")

    assert ready.status_code == 200
    told = {each["kind"]: each.get("alarm") for each in ready.json()["checks"]}
    assert told == {"reader": None, "outbox": "a message has waited"}
    assert 'permanence_outbox_alarm{name="escalation"} 1.0' in metrics.text
    assert 'permanence_reader_alarm{name="queue"} 0.0' in metrics.text


def test_the_numbers_of_all_parts_are_metrics() -> None:
    relay = Check("relay", "events", True, numbers={"published_total": 5.0})

    text = ask(saying(NEAR, FAR, relay), "/metrics")[0].text

    assert 'permanence_reader_lag_events{name="queue"} 0.0' in text
    assert 'permanence_reader_lag_events{name="timeline"} 9.0' in text
    assert 'permanence_reader_ready{name="timeline"} 0.0' in text
    assert "# TYPE permanence_relay_published_total counter" in text
    assert 'permanence_relay_published_total{name="events"} 5.0' in text


def test_asking_often_asks_the_parts_seldom() -> None:
    asked: list[int] = []

    async def counting() -> Check:
        asked.append(1)
        return NEAR

    ask([counting], *["/health/ready", "/metrics"] * 5)

    assert len(asked) == 1


@pytest.mark.parametrize(("check", "times"), [(NEAR, 1), (FAR, 3)])
def test_that_a_part_is_not_ready_is_remembered_for_a_shorter_time(
    check: Check, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.observability.health.UNREADY_REMEMBERED_SECONDS", -1)
    asked: list[int] = []

    async def counting() -> Check:
        asked.append(1)
        return check

    ask([counting], *["/health/ready"] * 3)

    assert len(asked) == times


def test_a_part_that_hangs_makes_it_unready_and_is_not_asked_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.observability.health.PROBE_SECONDS", 0.01)
    monkeypatch.setattr("shared.observability.health.UNREADY_REMEMBERED_SECONDS", 0)
    asked: list[int] = []

    async def hanging() -> Check:
        asked.append(1)
        return await asyncio.Future()

    answers = ask([*saying(NEAR), hanging], *["/health/ready", "/metrics"] * 2)

    assert [answer.status_code for answer in answers] == [503, 200, 503, 200]
    assert 'permanence_reader_ready{name="queue"} 1.0' in answers[3].text
    assert len(asked) == 1
