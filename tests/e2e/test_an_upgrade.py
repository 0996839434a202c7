"""What version e2fcc5b left is read, kept and gone on with; nothing is sent again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT
from typing import Any

import httpx
import psycopg
import pytest

from services.projections.read_models import MODELS
from services.projections.rebuild.builder import builder
from services.projections.rebuild.rebuild import rebuild
from shared.clock import clock_from
from tests.support.desks.lever_walk import settle
from tests.support.desks.running import SERVICES, Desk, Setting, serving
from tests.support.desks.supervised import all_gone, family, running_desk
from tests.support.faults.old_data import (
    CHAIN_AT_HOME,
    EVENTS,
    EVENTS_AT_HOME,
    restored_demo,
    unpack_home,
    upgrade,
)
from tests.support.folders import reachable_folder
from tests.support.mail.smtp_server import open_inbox
from tests.support.patience import SECONDS, answered, posted, until
from tests.support.servers.webhook_receiver import open_postbox

PERMANENCE = (sys.executable, "-m", "services")
SCHEDULES = 2
"""How many schedules the policy of that day has: each has a history from then on."""
TITLE = "Le portail ne répond plus depuis la mise à jour"


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


def test_the_log_of_a_whole_day_is_gone_on_with(folder: Path) -> None:
    with (
        open_inbox() as inbox,
        open_postbox() as postbox,
        restored_demo(folder) as desk,
    ):
        owner = desk.database.owner_dsn
        before = chains(owner)
        assert len(before) == EVENTS
        upgrade(desk)
        assert verified(owner)["events"] == EVENTS

        environment = {
            "PERMANENCE_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}",
            "PERMANENCE_MAIL_FROM": "desk@valmont.example",
            "PERMANENCE_WEBHOOK_URL": postbox.url,
            "PERMANENCE_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "PERMANENCE_PUBLIC_URL": "https://desk.valmont.example",
        }
        with serving(desk, SERVICES, Setting(environment=environment)):
            settle(desk)
            assert (len(inbox.mails), len(postbox.requests)) == (0, 0)
            # Who is on call is recorded from the upgrade on; nothing else happens.
            until(
                lambda: added(owner) == SCHEDULES * ["on_call.handed_over"],
                lambda: f"who is on call is recorded, and no more: {added(owner)}",
            )
            assert chains(owner)[:EVENTS] == before

            incident = opened(desk)
            settle(desk)
            with httpx.Client(
                base_url=desk.api_url, headers=desk.bearer("agent"), timeout=SECONDS
            ) as api:
                until(
                    lambda: incident in references(api),
                    "the new incident is in the queue",
                )
            ref = reported(desk)
            until(lambda: len(inbox.mails) > 0, "a user is told of what was reported")
            settle(desk)
            # What leaves now is about it: nothing from before was still to be sent.
            told = [str(mail["subject"]) for mail in inbox.mails]
            told += [request.body.decode() for request in postbox.requests]
            assert all(ref in each or incident in each for each in told), told
            assert chains(owner)[:EVENTS] == before
            assert verified(owner)["ok"]
            assert_read_models_are_what_the_log_says(desk)


def test_a_desk_of_make_up_comes_up_again(folder: Path) -> None:
    home = folder / "home"
    unpack_home(home)

    with running_desk(home, (*PERMANENCE, "up")) as desk:
        run = desk.until_up().run
        children = family(desk.pid)
        assert chains(run.database_url)[EVENTS_AT_HOME - 1].hex() == CHAIN_AT_HOME
        with httpx.Client(
            base_url=run.api_url,
            headers={"Authorization": f"Bearer {run.token}"},
            timeout=SECONDS,
        ) as api:
            assert (known := references(api))
            result = sent(run.intake_url, run.source_key)
            assert result["status"] == "opened"
            until(
                lambda: result["incident"] in references(api),
                "the new incident is in the queue",
            )
            assert references(api) == known | {result["incident"]}
        assert verified(run.database_url)["ok"]
        desk.send(SIGINT)
        assert desk.ended() == 0
        assert all_gone(children)


def chains(owner_dsn: str) -> list[bytes]:
    """Return the hash of each event, in order."""
    query = "SELECT chain FROM log.events ORDER BY notification_id"
    with psycopg.connect(owner_dsn) as connection:
        return [bytes(chain) for (chain,) in connection.execute(query)]


def added(owner_dsn: str) -> list[str]:
    """Return the types of the events that follow on what the demo day left."""
    query = "SELECT topic FROM log.events ORDER BY notification_id OFFSET %s"
    with psycopg.connect(owner_dsn) as connection:
        return [topic for (topic,) in connection.execute(query, (EVENTS,))]


def verified(owner_dsn: str) -> dict[str, Any]:
    """Return what `permanence audit verify` finds."""
    ran = subprocess.run(
        [*PERMANENCE, "audit", "verify", "--json", "--database", owner_dsn],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def sent(intake_url: str, token: str) -> dict[str, Any]:
    """Send a signal that opens an incident; return its result."""
    signal = {
        "event_id": "after-the-upgrade",
        "dedup_key": "after-the-upgrade",
        "action": "trigger",
        "title": TITLE,
        "severity": "critical",
        "service": "portail",
    }
    headers = {"Authorization": f"Bearer {token}"}
    answer = posted(f"{intake_url}/v1/events", json=signal, headers=headers)
    assert answer.status_code == 202, answer.text
    (result,) = answer.json()["results"]
    return dict(result)


def opened(desk: Desk) -> str:
    """Let a source report that the portal is down; return the incident."""
    result = sent(desk.intake_url, desk.tokens["source"])
    assert result["status"] == "opened", result
    return str(result["incident"])


def reported(desk: Desk) -> str:
    """Let an agent take a user's incident on record; return its reference."""
    body = {
        "title": "Totaux faux",
        "service": "paie",
        "impact": "high",
        "urgency": "medium",
        "reporter": "lefevre",
        "channel": "web",
    }
    answer = desk.post("/v1/incidents", body)
    assert answer.is_success, answer.text
    return str(answer.json()["incident"])


def references(api: httpx.Client) -> set[str]:
    """Return the incidents that agents see."""
    answer = answered(lambda: api.get("/v1/queues/all/incidents")).raise_for_status()
    return {str(row["ref"]) for row in answer.json()["items"]}


def assert_read_models_are_what_the_log_says(desk: Desk) -> None:
    dsn, clock = desk.database.dsn("desk_projections"), clock_from(desk.lever)
    for model in MODELS.values():
        with builder(dsn, desk.master, model) as built:
            done = rebuild(built, clock, lambda *_: None)
        assert done.same, f"{model.name} differs from its rebuild"
