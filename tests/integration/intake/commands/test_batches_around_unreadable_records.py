"""Rounds and queues pass over what needs an unreadable record, and do the rest."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing as closed
from datetime import timedelta

import orjson
import pytest

from services.intake.auto_close.subscriber import Silences
from services.intake.commands import due_commands
from services.intake.signals import timers
from shared.domain.commands.incident import Open, Resolve
from shared.eventlog.codec import UnknownEvent
from shared.eventlog.log import EventLog
from shared.security.access import create
from standalone.nats import Bus
from tests.integration.intake.commands.test_commands import done
from tests.integration.intake.conftest import MASTER, NOW, Hands, hands_on
from tests.integration.intake.signals.test_groups import apply, fires
from tests.integration.intake.signals.test_receiving import receive
from tests.integration.intake.signals.test_signals_over_nats import listening
from tests.integration.intake.signals.test_timers import HOLD, TEN
from tests.integration.intake.signals.test_timers import at_work as timing
from tests.integration.intake.test_auto_close import DUE, Watch, at_work, closures
from tests.support.desks.mail import LetterDoors, reads, taken
from tests.support.faults.later_version import write_unknown
from tests.support.mail.imap_server import running_imap
from tests.support.mail.raw_mails import mail
from tests.support.patience import eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture
def owner(ruled: Database) -> Iterator[EventLog]:
    with closed(
        EventLog.open(ruled.owner_dsn, master=MASTER, clock=lambda: NOW)
    ) as log:
        yield log


def test_timers_of_unreadable_incidents_hold_up_no_others(
    ruled: Database, owner: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(ruled, HOLD)
    monkeypatch.setattr(timers, "AT_ONCE_MAX", 2)

    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=10), Watch()
        keys = [f"web-{n}" for n in range(8)]
        refs = [receive(hands, fires(key))[0].incident for key in keys]
        for key in keys:
            receive(hands, fires(key, "lyon", "resolve"))
        for ref in refs[:5]:
            write_unknown(owner, f"incident-{ref}")
        async with timing(hands, watch, processes=2):
            watch.now = NOW + TEN
            await eventually(lambda: _recovered(hands, refs[5:]))

    asyncio.run(story())


def _recovered(hands: Hands, refs: list[str | None]) -> bool:
    """Tell whether all of these recovered; the log as a whole cannot be read."""
    with hands.log.transaction() as cursor:
        rows = cursor.execute(
            "SELECT originator_id FROM log.events WHERE topic = 'incident.recovered'"
        ).fetchall()
    return {stream for (stream,) in rows} == {f"incident-{ref}" for ref in refs}


def test_unreadable_incidents_that_are_silent_hold_up_no_others(
    ruled: Database, owner: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_commands, "AT_ONCE_MAX", 2)

    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=10), Watch()
        refs = []
        for n in range(6):
            answer = done(hands, Open(title=f"No mail {n}"), None)
            refs.append(answer.incident)
            done(hands, Resolve(note="rebooted"), answer.incident)
        async with at_work(hands, watch):
            await eventually(lambda: _waited_for(hands) == 6)
            for ref in refs[:4]:
                write_unknown(owner, f"incident-{ref}")
            watch.now = DUE + timedelta(minutes=1)
            await eventually(lambda: all(closures(hands, ref) for ref in refs[4:]))

    asyncio.run(story())


def _waited_for(hands: Hands) -> int:
    with hands.log.transaction() as cursor:
        rows = cursor.execute(
            "SELECT 1 FROM intake.silences WHERE due_at IS NOT NULL"
        ).fetchall()
    return len(rows)


_SKIP = """
WITH asked AS (
    INSERT INTO intake.parked_requests (reader, stream, action, requested_by, reason)
    VALUES ('closing', %s, 'skip', 'ann', 'a test') RETURNING request_id, stream
)
INSERT INTO intake.skipped (request_id, reader, position, stream, error, parked_at,
                            skipped_by, role, reason)
SELECT request_id, 'closing', %s, stream, '?', now(), 'ann', 'owner', 'a test'
FROM asked
"""


def test_a_silence_is_judged_without_the_event_that_was_skipped(
    ruled: Database, owner: EventLog
) -> None:
    hands = hands_on(ruled)
    ref = done(hands, Open(title="No mail"), None).incident
    done(hands, Resolve(note="rebooted"), ref)
    stream = f"incident-{ref}"
    (*_, resolved) = hands.log.history(stream)
    write_unknown(owner, stream)
    silences = Silences(hands.log)
    with pytest.raises(UnknownEvent), hands.log.transaction() as cursor:
        silences.apply(cursor, [resolved])

    with owner.transaction() as cursor:
        cursor.execute(_SKIP, (stream, owner.head().position))
    with hands.log.transaction() as cursor:
        silences.apply(cursor, [resolved])

    assert _waited_for(hands) == 1


@pytest.fixture
def letters(ruled: Database, owner: EventLog) -> Iterator[LetterDoors]:
    dsn = ruled.dsn("desk_intake")
    with (
        closed(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log,
        ThreadPoolExecutor(4) as executor,
    ):
        with owner.transaction() as cursor:
            token = create(cursor, NOW, "person:nadia", ["agent"]).token
        yield LetterDoors(log, owner, executor, token, NOW)


def test_a_mail_about_an_unreadable_incident_lets_the_next_one_pass(
    letters: LetterDoors, owner: EventLog
) -> None:
    ref = letters.takes(mail("The portal is down."))["incident"]
    write_unknown(owner, f"incident-{ref}")
    about = mail(
        "Still down.",
        message_id="<2@valmont.example>",
        in_reply_to=f"<{ref}@permanence.example>",
    )
    answer = letters.post(about)
    assert (answer.status_code, answer.json()["code"]) == (503, "record_unreadable")
    assert answer.headers["retry-after"]

    with running_imap() as imap:
        imap.receives(about, mail("The lift halts.", message_id="<3@valmont.example>"))
        box = reads(letters, imap.url, rounds=2)

    assert box.why_away is None
    assert taken(letters) == ["opened", "unreadable", "opened"]
    ((reason,),) = letters.asks(
        "SELECT reason FROM intake.letters WHERE verdict = 'unreadable'"
    )
    assert f"{ref} cannot be read" in reason


def test_over_nats_only_the_signal_of_an_unreadable_incident_waits(
    bus: Bus, hands: Hands, owner: EventLog
) -> None:
    (first,) = receive(hands, fires("db"))
    write_unknown(owner, f"incident-{first.incident}")

    async def scenario() -> None:
        async with listening(bus, hands.receiver.flush) as queue:
            for n in range(60):
                key = "db" if n == 30 else f"web-{n}"
                body = {"action": "trigger", "title": key, "dedup_key": key}
                await queue.put("demo", orjson.dumps(body))
            await queue.empties()

    asyncio.run(scenario())

    with hands.log.transaction() as cursor:
        rows = cursor.execute("SELECT awaits FROM intake.quarantine").fetchall()
        (count,) = cursor.execute(
            "SELECT count(*) FROM log.events WHERE topic = 'incident.opened'"
        ).fetchall()
    assert rows == [(first.incident,)]
    assert count == (60,)
