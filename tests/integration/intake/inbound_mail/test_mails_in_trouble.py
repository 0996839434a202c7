"""No mail stops a mailbox, and no mailbox stops another."""

from email.message import Message

import pytest
from imapclient.exceptions import IMAPClientError, ProtocolError

from services.intake.assembly import Parts
from services.intake.commands.page_taker import PageNotTaken
from services.intake.inbound_mail import parser
from services.intake.inbound_mail.content import Content, content_of
from services.intake.inbound_mail.context import MailResult
from services.intake.inbound_mail.message import InboundMail
from services.intake.inbound_mail.worker import MailDelivery, MailIntake
from services.intake.mailboxes.mailbox import FETCHES_MAX, Mailbox
from services.intake.mailboxes.session import FetchedMail, Session
from services.intake.mailboxes.worker import (
    STUCK_SECONDS_MAX,
    Mailboxes,
    MailboxesProbe,
    mailboxes_candidate,
)
from shared.domain.policy.sources import Mailbox as Clause
from shared.observability.health import Check
from tests.integration.intake.conftest import NOW
from tests.support.desks.leadership import Unfenced
from tests.support.desks.mail import (
    CLAUSE,
    DESK,
    LetterDoors,
    numbered,
    reads,
    taken,
)
from tests.support.mail.broken_mails import BROKEN
from tests.support.mail.imap_server import ImapServer, running_imap

pytestmark = pytest.mark.servers


class Stumbling(MailIntake):
    """Fails over one letter, by a mistake or because another service is away."""

    async def take(self, letter: InboundMail, post: MailDelivery) -> MailResult:
        """Take a letter, or fail."""
        if "poison" in letter.words:
            raise KeyError("a mistake")
        if "page" in letter.words:
            raise PageNotTaken(503, "escalation is away", code="owner_away")
        return await super().take(letter, post)


@pytest.mark.parametrize("words", ["poison", "a reply to a page"])
def test_a_mail_we_stumble_over_is_kept_and_the_next_is_taken(
    desk: LetterDoors, imap: ImapServer, words: str
) -> None:
    imap.receives(numbered(1, words), numbered(2))

    async def work(parts: Parts) -> None:
        sound = parts.letters
        stumbling = Stumbling(
            sound.sight, lambda: NOW, desk.executor, parts.commands, parts.attacher
        )
        box = Mailbox("boite", CLAUSE, desk.log, stumbling, DESK, {"BOX": imap.url})
        await box.round(Unfenced(), 0.0)
        await box.close()

    desk.with_parts(work)

    assert taken(desk) == ["unreadable", "opened"]
    assert desk.takes(numbered(1, words))["verdict"] == "unreadable"  # it is the same


def test_a_mail_that_cannot_be_read_is_set_aside_and_the_next_is_taken(
    desk: LetterDoors, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reading(message: Message, *, is_cut: bool = False) -> Content:
        if "poison" in message.as_string():
            raise RecursionError
        return content_of(message, is_cut=is_cut)

    monkeypatch.setattr(parser, "content_of", reading)
    imap.receives(numbered(1, "poison"), BROKEN["comments in From"], numbered(2))

    box = reads(desk, imap.url)

    assert box.why_away is None
    assert taken(desk) == ["unreadable", "unreadable", "opened"]
    assert imap.unread() == 0


@pytest.mark.parametrize(
    "refusal", [IMAPClientError("NO"), ProtocolError("nonsense"), ValueError("no date")]
)
def test_a_mail_that_the_server_does_not_send_is_noted_and_the_next_is_taken(
    desk: LetterDoors,
    imap: ImapServer,
    monkeypatch: pytest.MonkeyPatch,
    refusal: Exception,
) -> None:
    fetch, asked = Session.fetch, list[int]()

    def failing(session: Session, uid: int) -> FetchedMail | None:
        asked.append(uid)
        if uid == asked[0]:
            raise refusal
        return fetch(session, uid)

    monkeypatch.setattr(Session, "fetch", failing)
    imap.receives(numbered(1), numbered(2))

    early = reads(desk, imap.url)
    assert (taken(desk), early.takes_nothing) == ([], True)
    reads(desk, imap.url, rounds=FETCHES_MAX)

    assert taken(desk) == ["unreadable", "opened"]
    assert imap.unread() == 1
    ((why,),) = desk.asks(
        "SELECT reason FROM intake.letters ORDER BY letter_id LIMIT 1"
    )
    assert type(refusal).__name__ in why


class Refusing(MailIntake):
    """Can neither take a mail nor set it aside."""

    async def take(self, letter: InboundMail, post: MailDelivery) -> MailResult:
        """Fail."""
        raise KeyError(letter.key, post.source)

    async def set_aside(
        self, letter: InboundMail, post: MailDelivery, why: str
    ) -> None:
        """Fail."""
        raise KeyError(letter.key, post.source, why)


def test_a_mailbox_that_takes_nothing_stops_no_other_and_is_reported(
    desk: LetterDoors, imap: ImapServer
) -> None:
    passed = [0.0]

    async def work(parts: Parts) -> list[Check]:
        sound = parts.letters
        refusing = Refusing(
            sound.sight, lambda: NOW, desk.executor, parts.commands, parts.attacher
        )

        def opened(source: str, clause: Clause) -> Mailbox:
            letters, url = {"one": (refusing, imap.url), "two": (sound, other.url)}[
                source
            ]
            return Mailbox(source, clause, desk.log, letters, DESK, {"BOX": url})

        boxes = Mailboxes(
            mailboxes_candidate(""),
            parts.in_force,
            opened,
            monotonic=lambda: passed[0],
        )
        probe, checks = MailboxesProbe(desk.log, parts.in_force, boxes), []
        await boxes._as_declared({"one": CLAUSE, "two": CLAUSE})
        for _ in range(2):
            await boxes._rounds(Unfenced())
            checks.append(await probe())
            passed[0] += STUCK_SECONDS_MAX + 1
        await boxes._step_down()
        return checks

    with running_imap() as other:
        imap.receives(numbered(1))
        other.receives(numbered(2))
        early, late = desk.with_parts(work)

    assert taken(desk) == ["opened"]
    assert (early.ready, late.ready) == (True, False)
    assert "one: mails have waited" in late.words["why"]
    assert "two" not in late.words["why"]
