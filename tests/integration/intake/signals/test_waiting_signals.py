"""Signals of an incident that cannot be read wait in order, and go on by themselves."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.quarantine.worker import RetryWorker, quarantine_probe
from services.intake.source_api.explain_endpoints import decisions
from tests.support.desks.intake_endpoints import Doors, Gatekept, gatekept, through
from tests.support.examples import examples_with_servers
from tests.support.faults.later_version import UNKNOWN, upgraded, write_unknown
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

STREAM = "incident-INC-000001"


@pytest.fixture
def desk(database: Database) -> Iterator[Gatekept]:
    with gatekept(database) as made:
        yield made


def event(action: str, key: str = "db", **more: Any) -> dict[str, Any]:
    return {"action": action, "title": "db is down", "dedup_key": key, **more}


async def status(doors: Doors, body: dict[str, Any]) -> str:
    answer = await doors.post(body=body)
    assert answer.status_code == 202, answer.text
    (result,) = answer.json()["results"]
    return str(result["status"])


async def listed(doors: Doors) -> list[dict[str, Any]]:
    answer = await doors.get("/v1/quarantine")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def settled(doors: Doors) -> int:
    """Retry as intake does by itself; return how many signals were let out."""
    return await RetryWorker(doors.parts.retries).round()


async def poisoned(desk: Gatekept, doors: Doors) -> None:
    """Open the incident, and let a later version write to it."""
    assert await status(doors, event("trigger")) == "opened"
    with desk.owner() as owner:
        write_unknown(owner, STREAM)


def happened(desk: Gatekept, stream: str = STREAM) -> list[str]:
    with desk.owner() as owner, owner.transaction() as cursor:
        rows = owner.stored_histories(cursor, [stream])
    return [row.type for row in rows if row.type != UNKNOWN]


def test_what_waits_goes_on_in_order_once_the_incident_can_be_read(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(doors: Doors) -> None:
        await poisoned(desk, doors)
        worse = event("trigger", severity="critical", event_id="e-1")
        assert await status(doors, worse) == "quarantined"
        assert await status(doors, event("resolve", event_id="e-2")) == "quarantined"
        first, second = await listed(doors)
        assert first["awaits"] == "INC-000001"
        assert "INC-000001 cannot be read" in first["reason"]
        assert "waits behind" in second["reason"]
        assert await settled(doors) == 0
        asked = await doors.get("/v1/requests/e-1?source=demo")
        assert asked.json()["status"] == "quarantined"

        monkeypatch.setitem(*upgraded())

        assert await settled(doors) == 2
        assert await listed(doors) == []
        for event_id, became in (("e-1", "signalled"), ("e-2", "recovered")):
            asked = await doors.get(f"/v1/requests/{event_id}?source=demo")
            assert (asked.json()["status"], asked.json()["incident"]) == (
                became,
                "INC-000001",
            )
            assert asked.json()["position"]
        assert await status(doors, event("resolve", event_id="e-2")) == "duplicate"

    through(desk, scenario)
    assert happened(desk)[:3] == [
        "incident.opened",
        "incident.signalled",
        "incident.recovered",
    ]


def test_any_number_of_processes_let_each_out_once(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(doors: Doors) -> None:
        await poisoned(desk, doors)
        for n in range(10):
            action = "resolve" if n % 2 else "trigger"
            assert await status(doors, event(action, severity="error")) == "quarantined"
        monkeypatch.setitem(*upgraded())

        workers = [RetryWorker(doors.parts.retries) for _ in range(4)]
        while await listed(doors):
            await asyncio.gather(*(worker.round() for worker in workers))

        history = await doors.get("/v1/quarantine?state=released")
        assert len(history.json()["items"]) == 10

    through(desk, scenario)
    states = [t for t in happened(desk) if t.endswith((".signalled", ".recovered"))]
    assert states.count("incident.recovered") == 5


def test_a_first_that_is_discarded_holds_up_the_next_no_longer(
    desk: Gatekept,
) -> None:
    async def scenario(doors: Doors) -> None:
        await poisoned(desk, doors)
        await status(doors, event("trigger", severity="error"))
        await status(doors, event("resolve"))
        first, second = await listed(doors)
        path = f"/v1/quarantine/{first['id']}/discard"
        done = await doors.post(path, {"reason": "seen to by hand"}, who="agent")
        assert done.status_code == 200, done.text

        assert await settled(doors) == 0
        answer = await doors.post(
            f"/v1/quarantine/{second['id']}/retry", {}, who="agent"
        )

        assert answer.json()["state"] == "waiting"
        assert "INC-000001 cannot be read" in answer.json()["reason"]
        (left,) = await listed(doors)
        assert left["awaits"] == "INC-000001"
        assert left["tries"] == 1

    through(desk, scenario)


def test_a_body_that_comes_again_waits_again_in_its_place(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(doors: Doors) -> None:
        await poisoned(desk, doors)
        for action in ("resolve", "trigger", "resolve", "trigger"):
            assert await status(doors, event(action)) == "quarantined"
        monkeypatch.setitem(*upgraded())

        assert await settled(doors) == 4

    through(desk, scenario)
    assert happened(desk).count("incident.recovered") == 2
    assert happened(desk).count("incident.reopened") == 2


def test_its_numbers_are_told_and_nothing_is_red(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        await poisoned(desk, doors)
        await status(doors, event("trigger"))
        await status(doors, event("resolve"))

        probe = quarantine_probe(doors.parts.log, lambda: desk.times.now)
        check = await probe()

        assert check.ready
        assert check.numbers["postponed"] == 2
        assert check.numbers["unreadable_records"] == 1

    through(desk, scenario)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["trigger", "resolve", "acknowledge"]),
        st.sampled_from([None, "warning", "critical"]),
    ),
    min_size=2,
    max_size=8,
)


@examples_with_servers(20)
@given(script=ACTIONS)
def test_whatever_waited_the_incident_is_as_if_nothing_had(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch, script: Sequence[tuple[str, Any]]
) -> None:
    seen: list[tuple[list[str], list[str]]] = []

    async def scenario(doors: Doors) -> None:
        refs = [await _opened(doors, f"{len(script)}-{n}-{_run()}") for n in range(2)]
        (plain, plain_key), (held, held_key) = refs
        with desk.owner() as owner:
            write_unknown(owner, f"incident-{held}")
        for action, severity in script:
            await status(doors, event(action, plain_key, severity=severity))
            await status(doors, event(action, held_key, severity=severity))
        with monkeypatch.context() as patch:
            patch.setitem(*upgraded())
            assert await settled(doors) == len(script)
            seen.append(
                (
                    happened(desk, f"incident-{plain}"),
                    happened(desk, f"incident-{held}"),
                )
            )

    through(desk, scenario)
    ((plain, held),) = seen
    assert held == plain


_runs = iter(range(1_000_000))


def _run() -> int:
    return next(_runs)


async def _opened(doors: Doors, key: str) -> tuple[str, str]:
    answer = await doors.post(body=event("trigger", key))
    (result,) = answer.json()["results"]
    assert result["status"] == "opened", result
    return str(result["incident"]), key


def test_whoever_looks_at_records_once_leaves_nothing_behind(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache lives as long as its log, so nothing that passes may make one."""
    made: list[object] = []

    async def scenario(doors: Doors) -> None:
        await poisoned(desk, doors)
        assert await status(doors, event("resolve")) == "quarantined"
        log = doors.parts.retries.log
        monkeypatch.setattr(log.continuity, "drop_with", made.append)
        assert await settled(doors) == 0
        (decision,) = decisions(log, ["demo"], "db")
        assert "cannot be read at present" in decision.sentence

    through(desk, scenario)
    assert made == []
