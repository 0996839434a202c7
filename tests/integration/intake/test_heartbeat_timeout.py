"""Two processes of intake hear a heartbeat, and one incident tells of its silence."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.domain.events.incident import IncidentOpened
from tests.support.desks.intake_endpoints import POLICY
from tests.support.desks.running import Desk, Setting, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, answered, until

pytestmark = pytest.mark.servers

HEARTBEAT = "\nheartbeats:\n  cron: {every: 1s, service: mail}\n"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with reachable_folder() as folder:
        policy = Path(folder) / "policy.yaml"
        text = POLICY.read_text(encoding="utf-8") + HEARTBEAT
        policy.write_text(text, encoding="utf-8")
        start = ("intake", "intake_twin")
        with running_desk(folder, start=start, setting=Setting(policy)) as desk:
            yield desk


def kinds(desk: Desk) -> list[str]:
    log = desk.log()
    try:
        events = [entry.event for entry in log.since(0, 1_000)]
    finally:
        log.close()
    opened = [e for e in events if isinstance(e, IncidentOpened)]
    assert all(event.source == "heartbeat" for event in opened)
    return [event.type for event in events if event.type.startswith("incident.")]


def test_two_processes_tell_of_one_silence_and_of_its_end(desk: Desk) -> None:
    def beat(intake: str) -> None:
        url = f"{intake}/v1/heartbeats/cron"
        headers = desk.bearer("source")
        answer = answered(lambda: httpx.post(url, headers=headers, timeout=SECONDS))
        assert answer.status_code == 202, answer.text

    one, two = desk.intake_urls
    beat(one)
    until(lambda: "incident.opened" in kinds(desk), "an incident for the silence")
    beat(two)
    until(lambda: "incident.restored" in kinds(desk), "its restoration")

    seen = kinds(desk)
    assert seen.count("incident.opened") == 1
    url, headers = f"{one}/v1/sources/demo", desk.bearer("source")
    used = answered(lambda: httpx.get(url, headers=headers, timeout=SECONDS))
    assert used.json()["type"] == "native"
