"""A mailbox is read over IMAP, from a real server: each mail once, and none is lost."""

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from services.intake.assembly import Parts
from services.intake.inbound_mail.context import MailResult
from services.intake.inbound_mail.message import InboundMail
from services.intake.inbound_mail.worker import MailDelivery, MailIntake
from services.intake.mailboxes.mailbox import Mailbox
from services.intake.mailboxes.worker import (
    Mailboxes,
    mailboxes_candidate,
)
from shared.database.leadership import LeaseLost
from shared.domain.policy.sources import Mailbox as Clause
from tests.integration.intake.conftest import NOW
from tests.support.desks.leadership import Unfenced
from tests.support.desks.mail import (
    CLAUSE,
    DESK,
    LetterDoors,
    leads,
    numbered,
    reads,
    taken,
)
from tests.support.mail.imap_server import ImapServer, running_imap
from tests.support.servers.certificates import certificate
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

EVERYWHERE = "0.0.0.0"  # noqa: S104 - an address of this machine that is not loopback


def test_what_lies_there_is_taken_once_and_marked(
    desk: LetterDoors, imap: ImapServer
) -> None:
    imap.receives(numbered(1), numbered(2))

    box = reads(desk, imap.url, rounds=3)

    assert box.why_away is None
    assert taken(desk) == ["opened", "opened"]
    assert imap.unread() == 0
    assert desk.asks("SELECT DISTINCT source FROM intake.letters") == [("boite",)]


def test_another_process_goes_on_where_the_last_was(
    desk: LetterDoors, imap: ImapServer
) -> None:
    imap.receives(numbered(1))
    reads(desk, imap.url)
    imap.receives(numbered(2))

    reads(desk, imap.url)

    assert taken(desk) == ["opened", "opened"]


def test_what_was_read_before_the_desk_came_is_left(
    desk: LetterDoors, imap: ImapServer
) -> None:
    imap.receives(numbered(1))
    imap.reads()

    reads(desk, imap.url)

    assert taken(desk) == []


def test_what_a_person_opens_first_is_taken_all_the_same(
    desk: LetterDoors, imap: ImapServer
) -> None:
    reads(desk, imap.url)
    imap.receives(numbered(1))
    imap.reads()

    reads(desk, imap.url)

    assert taken(desk) == ["opened"]


def test_a_mailbox_made_anew_repeats_nothing(
    desk: LetterDoors, imap: ImapServer
) -> None:
    imap.receives(numbered(1))
    reads(desk, imap.url)
    imap.end()
    imap.begin()
    imap.receives(numbered(1), numbered(2))

    reads(desk, imap.url)

    assert taken(desk) == ["opened", "opened"]


def test_a_death_between_contact_and_mark_repeats_nothing(
    desk: LetterDoors, imap: ImapServer
) -> None:
    imap.receives(numbered(1))
    reads(desk, imap.url)
    with desk.owner.transaction() as cursor:
        cursor.execute("UPDATE intake.mailboxes SET uid = 0")

    reads(desk, imap.url)

    assert taken(desk) == ["opened"]


def test_a_server_that_is_away_is_told_and_loses_nothing(
    desk: LetterDoors, imap: ImapServer
) -> None:
    async def work(parts: Parts) -> tuple[float, float, str | None, str | None]:
        given = {"BOX": imap.url}
        box = Mailbox("boite", CLAUSE, desk.log, parts.letters, DESK, given)
        await box.round(Unfenced(), 0.0)
        imap.end()
        first, second = (
            await box.round(Unfenced(), 0.0),
            await box.round(Unfenced(), 0.0),
        )
        away = box.why_away
        imap.begin()
        imap.receives(numbered(1))
        await box.round(Unfenced(), 0.0)
        await box.close()
        return first, second, away, box.why_away

    first, second, away, after = desk.with_parts(work)

    assert first < second
    assert away
    assert after is None
    assert taken(desk) == ["opened"]


def test_a_wrong_password_is_told_without_it(
    desk: LetterDoors, imap: ImapServer
) -> None:
    box = reads(desk, imap.url.replace("word", "wort"))

    assert box.why_away
    assert "wort" not in box.why_away


def test_a_secret_that_is_not_there_is_told(desk: LetterDoors) -> None:
    assert "has no BOX" in (reads(desk, "").why_away or "")


def test_a_mail_that_lay_there_was_reported_when_it_came(
    desk: LetterDoors, imap: ImapServer
) -> None:
    before = NOW - timedelta(hours=3)
    imap.receives(numbered(1), at=before)

    reads(desk, imap.url)

    ((ref,),) = desk.asks("SELECT incident FROM intake.letters")
    assert desk.history(ref)[0].reported_at == before


def test_one_process_reads_and_another_takes_over(
    desk: LetterDoors, imap: ImapServer, ruled: Database
) -> None:
    dsn = ruled.dsn("desk_intake")

    async def work(parts: Parts) -> tuple[float, float]:
        def opened(source: str, clause: Clause) -> Mailbox:
            given = {"BOX": imap.url}
            return Mailbox(source, clause, desk.log, parts.letters, DESK, given)

        one, two = (
            Mailboxes(mailboxes_candidate(dsn), parts.in_force, opened, on_lever=True)
            for _ in range(2)
        )
        stop_one, stop_two = asyncio.Event(), asyncio.Event()
        first = asyncio.create_task(one.run(stop_one))
        await leads(one)
        second = asyncio.create_task(two.run(stop_two))
        waiting = two.own()["leads"]
        stop_one.set()
        await first
        await leads(two)
        stop_two.set()
        await second
        return waiting, one.own()["leads"]

    assert desk.with_parts(work) == (0.0, 0.0)


def test_a_password_is_told_to_a_server_we_know_and_to_no_other(
    desk: LetterDoors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = certificate(tmp_path, EVERYWHERE)
    with running_imap(EVERYWHERE, file) as server:
        stranger = reads(desk, server.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        known = reads(desk, server.url)

    assert "certificate" in (stranger.why_away or "")
    assert known.why_away is None


def test_a_password_is_not_told_where_others_listen(desk: LetterDoors) -> None:
    with running_imap(EVERYWHERE) as server:
        box = reads(desk, server.url)

    assert box.why_away


class TakenInVain(MailIntake):
    """Takes a mail just before the log goes back to what it was."""

    def goes_back(self, database: Database) -> None:
        """Say of which database."""
        self._database = database

    async def take(self, letter: InboundMail, post: MailDelivery) -> MailResult:
        """Take it; the database that is put back knows nothing of it."""
        taken = await super().take(letter, post)
        with psycopg.connect(self._database.owner_dsn) as owner:
            owner.execute("ALTER TABLE log.events DISABLE TRIGGER append_only")
            owner.execute("DELETE FROM log.events WHERE originator_id LIKE 'incident%'")
            owner.execute("DELETE FROM intake.letters")
            owner.execute("ALTER TABLE log.events ENABLE TRIGGER append_only")
        return taken


def test_a_mail_that_a_restore_lost_is_not_passed(
    desk: LetterDoors, imap: ImapServer, ruled: Database
) -> None:
    """The lease in the older copy is ours as well: it does not tell."""
    imap.receives(numbered(1))

    async def work(parts: Parts) -> Mailbox:
        sound = parts.letters
        vain = TakenInVain(
            sound.sight, lambda: NOW, desk.executor, parts.commands, parts.attacher
        )
        vain.goes_back(ruled)
        box = Mailbox("boite", CLAUSE, desk.log, vain, DESK, {"BOX": imap.url})
        await box.round(Unfenced(), 0.0)
        await box.close()
        return box

    box = desk.with_parts(work)

    assert "permanence restored" in (box.why_away or "")
    assert desk.asks("SELECT count(*) FROM intake.mailboxes") == [(0,)]
    assert imap.unread() == 1


class Replaced(Unfenced):
    """A leader that was frozen, and whose lease another has taken meanwhile."""

    def demand(self, _cursor: object) -> None:
        """Say what PostgreSQL would."""
        raise LeaseLost("another process has taken the lease mailboxes")


def test_a_former_reader_notes_nothing_and_marks_nothing(
    desk: LetterDoors, imap: ImapServer
) -> None:
    """Its successor reads on from its own mark; the mail it took is one contact."""
    imap.receives(numbered(1), numbered(2))

    async def work(parts: Parts) -> None:
        taking = parts.letters
        box = Mailbox("boite", CLAUSE, desk.log, taking, DESK, {"BOX": imap.url})
        with pytest.raises(LeaseLost):
            await box.round(Replaced(), 0.0)
        await box.close()

    desk.with_parts(work)
    assert imap.unread() == 2
    assert desk.asks("SELECT count(*) FROM intake.mailboxes") == [(0,)]
    reads(desk, imap.url)

    assert taken(desk) == ["opened", "opened"]
    assert imap.unread() == 0
