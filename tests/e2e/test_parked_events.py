"""An event nobody can read, on a running desk: each reader is told to skip it."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.app import command_line
from shared.domain.identifiers import incident_stream, sla_stream
from shared.eventlog.append import AppendUnit
from tests.support.calling import CallingDesk, calling_desk
from tests.support.logs import note
from tests.support.patience import SECONDS, until
from tests.support.promises import local
from tests.support.servers import reachable_folder

pytestmark = [pytest.mark.servers, pytest.mark.e2e]

READERS = {"queue", "timeline", "metrics", "sla_watcher", "escalation", "closing"}


def test_each_reader_goes_on_once_the_event_is_skipped() -> None:
    with reachable_folder() as folder, calling_desk(folder) as desk:
        incident = desk.open()
        until(lambda: count(desk, "sla.armed", incident) > 0, "promises are made")
        unreadable(desk, incident)
        until(
            lambda: {each["reader"] for each in permanence(desk, "list")} == READERS,
            "every reader has parked it",
        )
        shown = asked(desk, incident)
        replayed = replay(desk, incident)
        desk.desk.move_to(local("09:41"))  # the first promise was due at 09:40

        retried = permanence(desk, "retry", code=1)
        breached = count(desk, "sla.breached", incident)
        skipped = [
            permanence(
                desk,
                *("skip", incident_stream(incident), "--reader", reader),
                *("--reason", "written by a test", "--by", "ann"),
            )
            for reader in sorted(READERS)
        ]

        assert shown == (503, "record_unreadable")
        assert replayed.exit_code == 3
        assert "cannot be read (UnknownEvent" in replayed.stderr
        assert {each["outcome"] for each in retried} == {"still parked"}
        assert breached == 0
        assert [each["outcome"] for (each,) in skipped] == ["skipped"] * len(READERS)
        assert permanence(desk, "list") == []
        assert {each["reader"] for each in permanence(desk, "skipped")} == READERS
        until(
            lambda: count(desk, "sla.breached", incident) == 1,
            "the promise is broken",
        )
        desk.desk.wait_ready()


def unreadable(desk: CallingDesk, incident: str) -> None:
    """Record an event of a type that nobody knows, as a later version might."""
    log = desk.desk.log()
    stream = incident_stream(incident)
    version = log.head_version(stream) + 1
    with log.transaction() as cursor:
        log.append(cursor, [AppendUnit((note(stream, version),))])
    log.close()


def asked(desk: CallingDesk, incident: str) -> tuple[int, str]:
    """Return with what status and code the API answers for the incident."""
    url = f"{desk.desk.api_url}/v1/incidents/{incident}"
    answer = httpx.get(url, headers=desk.desk.bearer("agent"), timeout=SECONDS)
    return answer.status_code, answer.json()["code"]


def replay(desk: CallingDesk, incident: str) -> Result:
    environment = {
        "DATABASE_URL": desk.desk.database.owner_dsn,
        # Else it takes the key of a desk that was begun in this checkout.
        "PERMANENCE_VAULT_KEY_FILE": str(desk.desk.folder / "vault.key"),
    }
    return CliRunner().invoke(command_line(), ["replay", incident], env=environment)


def count(desk: CallingDesk, kind: str, incident: str) -> int:
    query = "SELECT count(*) FROM log.events WHERE topic = %s AND originator_id = %s"
    ((number,),) = desk.sql(query, kind, sla_stream(incident))
    return int(number)


def permanence(desk: CallingDesk, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """Type `permanence parked …` as an administrator; return what it answers."""
    environment = {"DATABASE_URL": desk.desk.database.dsn("desk_admin")}
    done = CliRunner().invoke(
        command_line(), ["parked", *words, "--json"], env=environment
    )
    assert done.exit_code == code, done.output
    answer: list[dict[str, Any]] = json.loads(done.stdout)
    return answer
