"""A frozen worker of intake holds up neither the relay, nor mail, nor commands."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import psycopg
import pytest
from nats.errors import Error as NatsError

from shared.domain.events.incident import IncidentInformed
from tests.support.desks.running import POLICY, TWIN, Desk, Setting, other, running_desk
from tests.support.faults.verdict import all_rows, assert_log_is_whole, stream_positions
from tests.support.folders import reachable_folder
from tests.support.mail.imap_server import ImapServer, running_imap
from tests.support.mail.raw_mails import mail
from tests.support.patience import SECONDS, answered, awaited, until

pytestmark = pytest.mark.servers

ROUNDS = 10 if os.environ.get("FAULTS") == "long" else 1
COMMANDS = 24
INTAKE = ("intake", f"intake{TWIN}")
START = (*INTAKE, "projections")


@dataclass
class MailedDesk:
    """A desk with two workers of intake and a mailbox that they read."""

    desk: Desk
    imap: ImapServer

    def asks(self, query: str) -> int:
        """Return the number that a query answers."""
        log = self.desk.log()
        try:
            with log.transaction() as cursor:
                row = cursor.execute(query).fetchone()
        finally:
            log.close()
        return int(row[0]) if row else 0

    def tell(self, statement: str) -> None:
        """Run a statement as the owner of the database."""
        with psycopg.connect(self.desk.database.owner_dsn) as connection:
            connection.execute(statement)

    def is_free(self, lease: str) -> bool:
        """Tell whether nobody holds a lease."""
        query = (
            "SELECT count(*) FROM intake.leases WHERE expires_at <= clock_timestamp()"
        )
        return bool(self.asks(f"{query} AND name = '{lease}'"))


@pytest.fixture(scope="module")
def mailed() -> Iterator[MailedDesk]:
    with reachable_folder() as folder, running_imap() as imap:
        setting = Setting(
            policy_with_a_mailbox(folder),
            environment={"BOX": imap.url},
            limits={"services.intake.relay.probe.BEHIND_SECONDS_MAX": 5},
        )
        with running_desk(folder, start=START, setting=setting) as desk:
            yield MailedDesk(desk, imap)


def policy_with_a_mailbox(folder: Path) -> Path:
    text = POLICY.read_text(encoding="utf-8")
    native = "  demo: {type: native}\n"
    assert text.count(native) == 1
    file = folder / "permanence.yaml"
    added = f"{native}  boite: {{type: imap, url: 'env:BOX'}}\n"
    file.write_text(text.replace(native, added), encoding="utf-8")
    return file


def opened(desk: Desk, name: str, key: str) -> str:
    """Send a signal to one worker; return the incident that it opened."""
    event = {"dedup_key": key, "action": "trigger", "title": key, "severity": "error"}
    url = f"http://127.0.0.1:{desk.ports[name]}/v1/events"
    headers = desk.bearer("source")
    answer = answered(
        lambda: httpx.post(url, json=event, headers=headers, timeout=SECONDS)
    )
    assert answer.is_success, answer.text
    return str(answer.json()["results"][0]["incident"])


def relayed(desk: Desk, mailed: MailedDesk) -> bool:
    """Tell whether the stream ends where the log does."""
    head = mailed.asks("SELECT max(notification_id) FROM log.events")
    try:
        return stream_positions(desk.nats.bus)[-1:] == [head]
    except (NatsError, TimeoutError):  # not made yet, or busy
        return False


def test_events_are_relayed_whoever_is_frozen(mailed: MailedDesk) -> None:
    desk = mailed.desk
    # An empty stream is begun at the head of the log: after what is recorded before.
    numbers = count()
    until(
        lambda: (
            bool(opened(desk, "intake", f"relay-first-{next(numbers)}"))
            and relayed(desk, mailed)
        ),
        "the stream is begun",
    )
    for n in range(ROUNDS):
        frozen = desk.leader("intake", "relay")
        desk.services[frozen].freeze()
        began = monotonic()
        opened(desk, other(frozen), f"relay-{n}")
        until(lambda: relayed(desk, mailed), "the twin relays")
        print(f"\nthe twin relayed after {monotonic() - began:.1f} s")  # noqa: T201 # to be noted
        assert desk.leader("intake", "relay") == other(frozen)
        desk.services[frozen].thaw()
    opened(desk, frozen, "relay-last")
    until(lambda: relayed(desk, mailed), "the last is relayed")
    desk.wait_ready(START)

    positions = stream_positions(desk.nats.bus)
    assert positions == list(range(positions[0], positions[-1] + 1))


def test_mail_is_read_whoever_is_frozen(mailed: MailedDesk) -> None:
    desk, letters = mailed.desk, "SELECT count(*) FROM intake.letters"
    taken = mailed.asks(letters)
    for n in range(ROUNDS):
        frozen = desk.leader("intake", "mailboxes")
        desk.services[frozen].freeze()
        began = monotonic()
        mailed.imap.receives(
            mail("The portal is down.", message_id=f"<{n}@valmont.example>")
        )
        until(
            lambda seen=taken + n: mailed.asks(letters) > seen,  # type: ignore[misc] # mypy knows no default of a lambda
            "the twin reads",
        )
        print(f"\nthe twin read after {monotonic() - began:.1f} s")  # noqa: T201 # to be noted
        assert desk.leader("intake", "mailboxes") == other(frozen)
        desk.services[frozen].thaw()
    until(lambda: mailed.imap.unread() == 0, "all are marked")
    desk.wait_ready(START)

    assert mailed.asks(letters) == taken + ROUNDS


def test_every_command_is_answered_and_happens_once(mailed: MailedDesk) -> None:
    """Half of them reach the frozen worker; nobody has sent an Idempotency-Key."""
    desk = mailed.desk
    incident = opened(desk, "intake", "commanded")

    def inform(message: str) -> httpx.Response:
        return httpx.post(
            f"{desk.api_url}/v1/incidents/{incident}/inform",
            json={"message": message},
            headers=desk.bearer("agent"),
            timeout=SECONDS,
        )

    for n in range(ROUNDS):
        messages = [f"round {n}, message {m}" for m in range(COMMANDS)]
        desk.services["intake"].freeze()
        began = monotonic()
        with ThreadPoolExecutor(COMMANDS) as pool:
            answers = list(pool.map(inform, messages))
        print(f"\nall were answered after {monotonic() - began:.1f} s")  # noqa: T201 # to be noted
        desk.services["intake"].thaw()
        assert [answer.text for answer in answers if not answer.is_success] == []
    desk.wait_ready(START)
    desk.until_commands_are_taken()
    # What the frozen one was handed it takes now: wait for the end of it.
    after = [
        awaited(
            lambda m=m: inform(f"after, message {m}"),  # type: ignore[misc] # mypy knows no default of a lambda
            lambda told: told.status_code != 503 or told.json()["code"] == "unanswered",
            "it is decided",
        )
        for m in range(COMMANDS)
    ]

    assert all(answer.is_success for answer in after)
    log = desk.log()
    try:
        told = [
            entry.event.message
            for entry in log.history(f"incident-{incident}")
            if isinstance(entry.event, IncidentInformed)
        ]
        assert_log_is_whole(all_rows(log))
    finally:
        log.close()
    assert len(told) == len(set(told)) == COMMANDS * (ROUNDS + 1)


def standing_by(desk: Desk) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return a process of intake that does not relay, and its checks.

    On a busy machine the lease may change hands between two questions.
    """
    deadline = monotonic() + SECONDS
    while True:
        name = other(desk.leader("intake", "relay"))
        told = desk.checks(name)
        parts = (told.get("relay", {}), told.get("mailboxes", {}))
        if parts[0].get("leads") == 0 and all("holder" in each for each in parts):
            return name, told
        assert monotonic() < deadline, told


def test_a_standby_says_what_waits_that_nobody_does(mailed: MailedDesk) -> None:
    desk = mailed.desk
    standby, told = standing_by(desk)
    assert told["relay"]["holder"]
    assert told["mailboxes"]["holder"]
    assert told["relay"]["ready"]

    # Nobody may take or renew a lease: nothing is relayed, no mail is read.
    columns = "fence, holder, renewed_at, expires_at"
    mailed.tell(f"REVOKE UPDATE ({columns}) ON intake.leases FROM desk_intake")
    try:
        for lease in ("relay", "mailboxes"):
            until(lambda name=lease: mailed.is_free(name), f"{lease} is free")  # type: ignore[misc] # mypy knows no default of a lambda
        opened(desk, standby, "relay-nobody")
        mailboxes = desk.check(
            standby,
            "mailboxes",
            lambda said: "no process has read the mailboxes for" in said.get("why", ""),
        )
        relay = desk.check(
            standby,
            "relay",
            lambda said: "wait, and none was relayed for" in said.get("alarm", ""),
        )
    finally:
        mailed.tell(f"GRANT UPDATE ({columns}) ON intake.leases TO desk_intake")
    desk.wait_ready(START)

    assert relay["ready"], "intake records all the same"
    assert relay["waiting"] >= 1
    assert not mailboxes["ready"]
    assert mailboxes["holder"].startswith("nobody; until now ")
