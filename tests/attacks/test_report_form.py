"""The form, and mails of strangers, as a way to mail others from the desk's address."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.escalation.notifications.channels.mail_message import (
    Mailbox,
    MailMessage,
    mail_of,
)
from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.composer import A_DAY_MAX, TOO_MANY, Composer
from services.escalation.notifications.outbox import Waiting
from services.intake.assembly import Parts
from services.intake.inbound_mail.context import MailResult
from services.intake.inbound_mail.store import FORM
from services.intake.inbound_mail.subscriber import ACTOR, letter_of
from services.intake.inbound_mail.worker import MailDelivery
from shared.domain.commands.contact import Report
from shared.domain.events.notification import Kind
from shared.domain.identifiers import incident_stream
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from tests.support.desks.mail import AUTHSERV_ID, MASTER, NOW, LetterDoors, mailbox_desk
from tests.support.mail.raw_mails import mail
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

LURE = "Your account is locked: https://evil.example/login"
VICTIM = "zoe@elsewhere.example"
SENDER = Mailbox("desk@permanence.example")


@pytest.fixture
def desk(database: Database) -> Iterator[LetterDoors]:
    """Give the doors of a desk."""
    with mailbox_desk(database) as desk:
        yield desk


@contextmanager
def composing(database: Database) -> Iterator[Composer]:
    """Give what puts notifications into words, as a process that has just started."""
    dsn = database.dsn("desk_escalation")
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log:
        yield Composer(log, PolicyVersions(log), "https://desk.permanence.example")


def reports(
    desk: LetterDoors, email: str = VICTIM, words: str = LURE, number: int = 0
) -> MailResult:
    """Fill in the form under somebody's address."""
    key = f"made-by-the-thief-{number}"
    letter = letter_of(Report(email=email, words=words, key=key))

    async def take(parts: Parts) -> MailResult:
        return await parts.letters.take(letter, MailDelivery(ACTOR, (), FORM, "web"))

    return desk.with_parts(take)


def mailed(
    compose: Composer,
    desk: LetterDoors,
    ref: str,
    *,
    kind: Kind = "receipt",
    at: datetime = NOW,
) -> ByMail | Failed:
    """Return what would leave for the reporter about the last event of an incident."""
    history = desk.history(ref)
    opened: Any = history[0]
    version = 1 if kind == "receipt" else len(history)
    (head,) = desk.asks("SELECT max(notification_id) FROM log.events")
    waiting = Waiting(
        key=f"{ref}/{kind}",
        position=head[0],
        incident=ref,
        policy=opened.policy,
        kind=kind,
        channel="mail",
        person=opened.reporter,
        cause_stream=incident_stream(ref),
        cause_version=version,
        requested_at=at,
        sent=False,
        attempts=0,
    )
    (found,) = compose([waiting])
    assert isinstance(found, ByMail | Failed)
    return found


def as_sent(found: ByMail | Failed, ref: str) -> str:
    """Return a mail whole, as its reader gets it."""
    assert isinstance(found, ByMail)
    letter = MailMessage(
        found.key, ref, SENDER, found.to, found.message, NOW, found.tag
    )
    return mail_of(letter).as_string()


def test_no_mail_to_an_address_from_the_form_says_what_was_written_there(
    desk: LetterDoors, database: Database
) -> None:
    """Not the receipt, and not what follows once an agent works on it."""
    ref = reports(desk).fate.incident or ""
    with composing(database) as compose:
        receipt = as_sent(mailed(compose, desk, ref), ref)
        desk.does(ref, "inform", message="We look into it.")
        news = as_sent(mailed(compose, desk, ref, kind="update"), ref)

    for sent in (receipt, news):
        assert ref in sent
        assert "evil" not in sent
        assert "locked" not in sent


def test_a_mail_under_another_name_is_answered_without_its_words_and_names(
    desk: LetterDoors, database: Database
) -> None:
    forged = mail(LURE, sender=f'"{LURE}" <{VICTIM}>', subject=LURE)
    ref = desk.takes(forged)["incident"]

    with composing(database) as compose:
        sent = as_sent(mailed(compose, desk, ref), ref)

    assert "evil" not in sent
    assert "locked" not in sent


def test_somebody_who_is_known_to_have_written_reads_their_words_again(
    desk: LetterDoors, database: Database
) -> None:
    said = f"{AUTHSERV_ID}; dmarc=pass header.from=valmont.example"
    ref = desk.takes(f"Authentication-Results: {said}\r\n".encode() + mail("Blank."))
    with composing(database) as compose:
        sent = as_sent(mailed(compose, desk, ref["incident"]), ref["incident"])

    assert "Blank." in sent
    assert "Portal down" in sent
    assert "M. Costa" in sent


def test_an_address_gets_three_such_mails_a_day_and_no_restart_forgets_them(
    desk: LetterDoors, database: Database
) -> None:
    refs = [
        reports(desk, email=email, number=number).fate.incident or ""
        for number, email in enumerate([VICTIM, "Zoe+a@elsewhere.example"] * 3)
    ]
    sent = []
    for ref in refs:
        with composing(database) as compose:
            sent.append(mailed(compose, desk, ref))
            assert mailed(compose, desk, ref) == sent[-1], "a repeat is no other mail"
    with composing(database) as compose:
        desk.does(refs[-1], "inform", message="We look into it.")
        asked = mailed(compose, desk, refs[-1], kind="update")
        tomorrow = mailed(compose, desk, refs[-1], at=NOW + timedelta(days=1))

    assert all(isinstance(each, ByMail) for each in sent[:A_DAY_MAX])
    assert sent[A_DAY_MAX:] == [TOO_MANY] * (len(refs) - A_DAY_MAX)
    assert isinstance(tomorrow, ByMail)
    assert isinstance(asked, ByMail), "what an agent does is told all the same"
