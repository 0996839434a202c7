"""An event nobody can read, on a running desk: each reader is told to skip it."""

from typing import Any

import httpx
import pytest

from shared.domain.identifiers import incident_stream, sla_stream
from shared.eventlog.append import AppendUnit
from tests.support.builders.promises import local
from tests.support.builders.short_events import note
from tests.support.command_line import Ran
from tests.support.command_line import permanence as command
from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until

pytestmark = pytest.mark.servers

READERS = {
    *("queue", "timeline", "metrics", "words"),
    *("sla_watcher", "escalation", "closing"),
}
BY_COMMAND = {"queue", "sla_watcher", "escalation", "closing"}
"""Those that are told over the API: one of each service. The others by `permanence`."""


def test_each_reader_goes_on_once_the_event_is_skipped() -> None:
    with reachable_folder() as folder, calling_desk(folder) as desk:
        incident = desk.open()
        until(lambda: count(desk, "sla.armed", incident) > 0, "promises are made")
        # One that waits now could not be put into words, and the clock stands.
        desk.until_said(incident, "notification.sent")
        desk.until_quiet()
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
        positions = {
            each["reader"]: each["position"] for each in permanence(desk, "list")
        }
        skipped = [
            permanence(
                desk,
                *("skip", incident_stream(incident), "--reader", reader),
                *("--reason", "written by a test", "--by", "ann"),
            )
            for reader in sorted(READERS - BY_COMMAND)
        ]
        skipped += [
            [skip(desk, incident, reader, positions[reader])]
            for reader in sorted(BY_COMMAND)
        ]

        assert shown == [incident_stream(incident)]
        assert replayed.code == 0
        assert f"of {incident_stream(incident)}: UnknownEvent" in replayed.out
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


def skip(
    desk: CallingDesk, incident: str, reader: str, position: int
) -> dict[str, Any]:
    """Have a reader skip an event, as an administrator over the API."""
    path = f"/v1/parked/{reader}/{incident_stream(incident)}/skip"
    body = {"position": position, "reason": "written by a test"}
    answer = desk.desk.ask_reader(path, body)
    found: dict[str, Any] = answer.json()
    assert answer.is_success, found
    return found


def asked(desk: CallingDesk, incident: str) -> list[str]:
    """Return the streams of which the API says that they cannot be read."""
    url = f"{desk.desk.api_url}/v1/incidents/{incident}"
    answer = httpx.get(url, headers=desk.desk.bearer("agent"), timeout=SECONDS)
    return [each["stream"] for each in answer.json()["unreadable"]]


def replay(desk: CallingDesk, incident: str) -> Ran:
    environment = {
        "DATABASE_URL": desk.desk.database.owner_dsn,
        # Else it takes the key of a desk that was begun in this checkout.
        "PERMANENCE_VAULT_KEY_FILE": str(desk.desk.folder / "vault.key"),
    }
    return command("replay", incident, env=environment)


def count(desk: CallingDesk, kind: str, incident: str) -> int:
    query = "SELECT count(*) FROM log.events WHERE topic = %s AND originator_id = %s"
    ((number,),) = desk.sql(query, kind, sla_stream(incident))
    return int(number)


def permanence(desk: CallingDesk, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """Type `permanence parked …` as an administrator; return what it answers."""
    environment = {"DATABASE_URL": desk.desk.database.dsn("desk_admin")}
    done = command("parked", *words, "--json", env=environment)
    assert done.code == code, done
    return done.items
