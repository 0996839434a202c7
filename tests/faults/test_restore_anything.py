"""An older copy of the database is put under four running services.

Nothing is decided or sent until somebody says so; afterwards no reference, no key and
no cached state of the lost history is used again. One story, looked at from all sides.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from shared.clock import real_clock
from shared.domain.events.incident import IncidentInformed
from shared.domain.events.sla import SlaArmed
from shared.domain.identifiers import incident_stream, sla_stream
from shared.eventlog.entry import Entry
from tests.support.builders.short_events import broken_at
from tests.support.desks.running import (
    POLICY,
    SERVICES,
    Desk,
    Setting,
    running_desk,
)
from tests.support.faults.restore import back_up, put_back
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until

pytestmark = pytest.mark.servers

TARGETS = "tto: {p1: 15m, p2: 30m, p3: 2h, p4: 4h}"
LOST_TARGETS = "tto: {p1: 3h, p2: 3h, p3: 3h, p4: 4h}"
NEW_TARGETS = "tto: {p1: 2h, p2: 2h, p3: 2h, p4: 4h}"
TOLD = "We are on it."
RESOLVED = {"note": "restarted", "force": True, "reason": "it answers again"}


@dataclass
class Story:
    """A desk that was taken back, and what was seen meanwhile."""

    desk: Desk
    first: str = ""
    """The incident that was opened before the copy was made."""
    lost_head: int = 0
    refused: dict[str, Any] = field(default_factory=dict)
    red: dict[str, str] = field(default_factory=dict)
    renewed: dict[str, Any] = field(default_factory=dict)
    fresh: str = ""
    entries: Sequence[Entry] = ()


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with reachable_folder() as folder:
        kept = Setting(environment={"PERMANENCE_STATE_DIR": str(folder / "witness")})
        with running_desk(folder, durable=True, setting=kept) as desk:
            yield _told(desk)


def _told(desk: Desk) -> Story:
    story = Story(desk)
    story.first = _opened(desk, "before")
    copy = back_up(desk.postgres)
    desk.wait_ready()
    _live_what_is_lost(story)
    put_back(desk.postgres, copy)
    _see_it_stand_still(story)
    done = restored(desk)
    assert done.returncode == 0, done.stderr
    story.renewed = json.loads(done.stdout)
    _go_on(story)
    return story


def _live_what_is_lost(story: Story) -> None:
    """Fill every cache with what the copy does not have."""
    desk = story.desk
    _apply(desk, LOST_TARGETS)
    lost = _opened(desk, "database")
    _inform(desk, lost)
    _command(desk, story.first, "resolve", RESOLVED)
    assert _armed(desk, lost) == {10_800}
    with closing(desk.log()) as log:
        story.lost_head = log.head().position
    until(lambda: _seen(desk) >= story.lost_head, "NATS knows the head")


def _see_it_stand_still(story: Story) -> None:
    desk = story.desk

    def refused() -> bool:
        answer = _send(desk, "mail")
        story.refused = {"status": answer.status_code, **answer.json()}
        return bool(story.refused.get("code") == "log_not_continued")

    until(refused, "intake takes nothing")
    for name in SERVICES:
        until(lambda name=name: _is_red(story, name), f"{name} is red")  # type: ignore[misc]


def _go_on(story: Story) -> None:
    desk = story.desk
    until(lambda: _send(desk, "before").is_success, "it goes on")
    _apply(desk, NEW_TARGETS)
    story.fresh = _opened(desk, "mail")
    _inform(desk, story.fresh)
    _armed(desk, story.fresh)
    desk.wait_ready()
    with closing(desk.log()) as log:
        story.entries = log.since(0, 5_000)


def _is_red(story: Story, name: str) -> bool:
    url = f"http://127.0.0.1:{story.desk.ports[name]}/health/ready"
    try:
        answer = httpx.get(url, timeout=SECONDS)
    except httpx.HTTPError:
        return False
    story.red[name] = answer.text
    return answer.status_code == 503 and "permanence restored" in answer.text


def _send(desk: Desk, key: str) -> httpx.Response:
    body = {
        "dedup_key": key,
        "action": "trigger",
        "title": f"{key} is down",
        "severity": "error",
        "service": "web",
    }
    return httpx.post(
        f"{desk.intake_url}/v1/events",
        json=body,
        headers=desk.bearer("source"),
        timeout=SECONDS,
    )


def _opened(desk: Desk, key: str) -> str:
    """Send an alert until it is taken; return its incident."""
    found: list[str] = []

    def taken() -> bool:
        answer = _send(desk, key)
        if answer.is_success:
            found.append(answer.json()["results"][0]["incident"])
        return bool(found)

    until(taken, f"{key} is taken")
    return found[0]


def _command(desk: Desk, ref: str, verb: str, body: dict[str, Any]) -> None:
    """Send a command until it is done, with one key: it is done once."""
    said: list[str] = []
    headers = {"Idempotency-Key": uuid4().hex, **desk.bearer("agent")}

    def done() -> bool:
        answer = httpx.post(
            f"{desk.api_url}/v1/incidents/{ref}/{verb}",
            json=body,
            headers=headers,
            timeout=SECONDS,
        )
        said.append(answer.text)
        assert answer.status_code not in {404, 422}, answer.text
        return answer.is_success

    until(done, f"{verb} of {ref}")


def _inform(desk: Desk, ref: str) -> None:
    _command(desk, ref, "inform", {"message": TOLD})


def _armed(desk: Desk, ref: str) -> set[int]:
    """Return the times to own that were armed for an incident, once there are any."""
    found: set[int] = set()

    def armed() -> bool:
        with closing(desk.log()) as log:
            for entry in log.history(sla_stream(ref)):
                if isinstance(entry.event, SlaArmed) and entry.event.target == "tto":
                    found.add(entry.event.seconds)
        return bool(found)

    until(armed, f"{ref} has a time to own")
    return found


def _apply(desk: Desk, targets: str) -> None:
    text = POLICY.read_text(encoding="utf-8")
    assert TARGETS in text
    with closing(desk.log()) as log:
        applied = policy_store.apply(
            log,
            text.replace(TARGETS, targets),
            Signature(by="root", reason="other targets"),
            real_clock(),
        )
    assert isinstance(applied, Applied), applied
    assert applied.version == 2


def _seen(desk: Desk) -> int:
    """Return how far NATS knows the log."""
    url = desk.nats.bus.url("admin")
    command = [sys.executable, "-m", "tests.support.faults.last_seen", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


PATIENT_COMMAND = """
from cli import restored
from cli.app import main
from tests.support.limits import be_patient
be_patient()
restored.ANSWER_SECONDS = 120
main()
"""


def restored(desk: Desk, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `permanence restored`, as an admin."""
    command = [sys.executable, "-c", PATIENT_COMMAND, "restored", "--by", "root"]
    command += ["--reason", "backup of this morning", "--json"]
    command += ["--database", desk.database.dsn("desk_admin")]
    command += ["--nats", desk.nats.bus.url("admin"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_intake_takes_nothing_and_says_why(story: Story) -> None:
    assert story.refused["status"] == 503
    assert "permanence restored" in story.refused["detail"]


def test_every_service_is_red_and_names_the_command(story: Story) -> None:
    assert set(story.red) == set(SERVICES)
    assert all("permanence restored" in said for said in story.red.values())


def test_each_service_keeps_what_it_has_seen_on_its_own_disk(story: Story) -> None:
    files = (story.desk.folder / "witness").iterdir()
    assert {file.name for file in files} == {f"{name}.seen" for name in SERVICES}


def test_nothing_reached_the_log_meanwhile(story: Story) -> None:
    begins = story.renewed["begins_after"] + 1
    assert story.entries[begins - 1].event.type == "log.restored"
    assert story.renewed["epoch"] == 2
    assert story.renewed["last_seen"] >= story.lost_head > begins
    assert broken_at(story.desk.database.owner_dsn) is None


def test_no_reference_is_given_twice(story: Story) -> None:
    assert int(story.fresh.removeprefix("INC-")) > 10_000


def test_targets_are_those_of_the_policy_in_the_log(story: Story) -> None:
    assert _armed(story.desk, story.fresh) == {7_200}


def test_words_are_sealed_under_keys_that_exist(story: Story) -> None:
    # Reading the log opened every one of them already.
    (informed,) = [
        entry.event
        for entry in story.entries
        if entry.stream == incident_stream(story.fresh)
        and isinstance(entry.event, IncidentInformed)
    ]
    assert informed.message == TOLD


def test_nothing_happens_that_cannot_have(story: Story) -> None:
    first = [e for e in story.entries if e.stream == incident_stream(story.first)]
    assert "incident.reopened" not in {entry.event.type for entry in first}


def test_the_servers_of_a_cluster_are_named_with_commas(story: Story) -> None:
    url = story.desk.nats.bus.url("admin")
    again = restored(story.desk, "--nats", f"{url},{url}")
    assert again.returncode == 2
    assert "continues what was last seen" in again.stderr


def test_a_log_that_continues_is_not_renewed(story: Story) -> None:
    again = restored(story.desk)
    assert again.returncode == 2
    assert "continues what was last seen" in again.stderr
