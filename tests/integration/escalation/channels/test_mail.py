"""Mail to a real server, which takes it, refuses it, hangs, or is not there."""

import asyncio
from pathlib import Path

import pytest

from services.escalation.notifications.channels.mail import mail_server, send_mail
from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from tests.support.mail.outgoing_mail import LEFEVRE, MESSAGE, a_letter
from tests.support.mail.smtp_server import Inbox, open_inbox
from tests.support.ports import reserved_port
from tests.support.servers.certificates import certificate

EVERYWHERE = "0.0.0.0"  # noqa: S104 - an address of this machine that is not loopback


def sent(url: str, to: Mailbox = LEFEVRE, seconds: float = 20) -> Outcome:
    return asyncio.run(send_mail(mail_server(url), a_letter(to=to), seconds))


def url(inbox: Inbox, *, login: str = "", scheme: str = "smtp") -> str:
    return f"{scheme}://{login}127.0.0.1:{inbox.port}"


def test_a_letter_arrives_as_it_was_written() -> None:
    with open_inbox() as inbox:
        outcome = sent(url(inbox))

    (mail,) = inbox.mails
    assert isinstance(outcome, Delivered)
    assert inbox.recipients == [[LEFEVRE.address]]
    assert mail["Subject"] == f"[INC-000042] {MESSAGE.subject}"
    assert mail["Idempotency-Key"] == a_letter().key
    assert mail.get_content().replace("\r\n", "\n") == MESSAGE.body


def test_the_servers_word_is_kept_without_the_address() -> None:
    with open_inbox() as inbox:
        outcome = sent(url(inbox))

    assert outcome == Delivered("2.0.0 OK: queued as 1 for …")


def test_a_repeat_is_recognised_by_its_message_id() -> None:
    with open_inbox() as inbox:
        sent(url(inbox))
        sent(url(inbox))

    one, other = inbox.mails
    assert one["Message-ID"] == other["Message-ID"]


@pytest.mark.parametrize(
    ("answer", "said", "permanent"),
    [
        ("451 4.7.1 lefevre@valmont.example: greylisted", "451 4.7.1", False),
        ("550 5.1.1 lefevre@valmont.example unknown", "550 5.1.1", True),
        ("550 no lefevre@valmont.example here", "550", True),
    ],
)
def test_a_refused_recipient_is_told_by_codes_alone(
    answer: str, said: str, permanent: bool
) -> None:
    with open_inbox() as inbox:
        inbox.refuse_recipients = answer
        outcome = sent(url(inbox))

    reason = f"the mail server refused the recipient ({said})"
    assert outcome == Failed(reason, permanent)
    assert inbox.mails == []


@pytest.mark.parametrize(
    ("answer", "said", "permanent"),
    [("451 4.3.0 busy", "451 4.3.0", False), ("554 5.6.0 spam", "554 5.6.0", True)],
)
def test_a_refused_content_is_told_from_a_refused_recipient(
    answer: str, said: str, permanent: bool
) -> None:
    with open_inbox() as inbox:
        inbox.refuse_content = answer
        outcome = sent(url(inbox))

    assert outcome == Failed(f"the mail server refused the message ({said})", permanent)


def test_a_server_that_hangs_is_left() -> None:
    with open_inbox() as inbox:
        inbox.hang = True
        outcome = sent(url(inbox), seconds=0.3)

    assert outcome == Failed("the mail server did not answer in time", permanent=False)


def test_a_server_that_is_not_there_may_come_back() -> None:
    outcome = sent(f"smtp://127.0.0.1:{reserved_port()}")

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert "cannot be reached" in outcome.reason


def test_an_address_that_is_none_is_not_tried_again() -> None:
    outcome = sent("smtp://127.0.0.1:1", to=Mailbox("zoe@x\r\nRCPT TO:<a@b.example>"))

    assert outcome == Failed("mail cannot be sent to this address", permanent=True)


def test_who_has_a_password_logs_in() -> None:
    with open_inbox(password="p@ss") as inbox:
        outcome = sent(url(inbox, login="desk:p%40ss@"))

    assert isinstance(outcome, Delivered)
    assert inbox.logins == [("desk", "p@ss")]


def test_a_wrong_password_is_for_us_to_repair_and_stays_out_of_the_reason() -> None:
    with open_inbox(password="right") as inbox:
        outcome = sent(url(inbox, login="desk:wrong@"))

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert outcome.reason.startswith("the mail server rejects the login (535")
    assert "wrong" not in outcome.reason
    assert inbox.mails == []


def test_encryption_is_used_where_it_is_offered_whoever_certifies_it(
    tmp_path: Path,
) -> None:
    _, tls = certificate(tmp_path, "127.0.0.1")
    with open_inbox(tls=tls) as inbox:
        outcome = sent(url(inbox))

    assert isinstance(outcome, Delivered)
    assert inbox.encrypted == [True]


def test_without_encryption_mail_goes_to_who_offers_none() -> None:
    with open_inbox() as inbox:
        sent(url(inbox))

    assert inbox.encrypted == [False]


def test_a_password_is_not_told_to_who_cannot_encrypt() -> None:
    with open_inbox(password="p") as inbox:
        outcome = sent(f"smtp://desk:p@{EVERYWHERE}:{inbox.port}")

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert "offers no encryption" in outcome.reason
    assert inbox.logins == []


def test_a_password_is_not_told_to_a_server_nobody_vouches_for(tmp_path: Path) -> None:
    _, tls = certificate(tmp_path, EVERYWHERE)
    with open_inbox(password="p", tls=tls) as inbox:
        outcome = sent(f"smtp://desk:p@{EVERYWHERE}:{inbox.port}")

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert inbox.logins == []


def test_a_password_is_told_to_a_server_we_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, tls = certificate(tmp_path, EVERYWHERE)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with open_inbox(password="p", tls=tls) as inbox:
        outcome = sent(f"smtp://desk:p@{EVERYWHERE}:{inbox.port}")

    assert isinstance(outcome, Delivered)
    assert (inbox.logins, inbox.encrypted) == ([("desk", "p")], [True])


def test_smtps_speaks_tls_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, tls = certificate(tmp_path, "127.0.0.1")
    with open_inbox(tls=tls, smtps=True) as inbox:
        stranger = sent(url(inbox, scheme="smtps"))
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        known = sent(url(inbox, scheme="smtps"))

    assert isinstance(stranger, Failed)
    assert isinstance(known, Delivered)
    assert len(inbox.mails) == 1
