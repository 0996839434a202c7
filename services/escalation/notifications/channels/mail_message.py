"""Builds the mail of a notification: plain text, with a key that identifies repeats.

No character in a name, title or key can end a header and begin another one.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from unicodedata import category

from shared.i18n.template import Message
from shared.security.signed_links import ReplyTag

SUBJECT_MAX = 200
"""Characters; the body contains the whole title."""
KEY_MAX = 60
"""A longer key would be folded by the mail library: its digest is used instead."""
_DIGITS = 40


@dataclass(frozen=True)
class Mailbox:
    """An address and, optionally, the name of its owner."""

    address: str
    name: str = ""


@dataclass(frozen=True)
class MailMessage:
    """The contents of a mail. `at` becomes its date; `key` identifies repeats."""

    key: str
    incident: str
    sender: Mailbox
    to: Mailbox
    message: Message
    at: datetime
    tag: ReplyTag | None = None
    """Authenticates the reader's reply; None in mails that are not to a user."""
    reply_to: str | None = None
    """The reply address, if it is not the sender's."""


def mail_of(letter: MailMessage) -> EmailMessage:
    """Return the mail; the same contents give the same mail.

    Raise `ValueError` if mail cannot be sent to an address.
    """
    sender, to = _address(letter.sender), _address(letter.to)
    thread = f"<{letter.incident}@{sender.domain}>"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = to
    if letter.reply_to is not None:
        mail["Reply-To"] = _address(Mailbox(letter.reply_to, letter.sender.name))
    mail["Subject"] = subject_of(letter)
    mail["Date"] = letter.at
    mail["Message-ID"] = f"<{_number(letter)}@{sender.domain}>"
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["Idempotency-Key"] = _short(letter.key)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_encodable(letter.message.body))
    return mail


def subject_of(letter: MailMessage) -> str:
    """Return the subject: the reference of the incident, then its topic."""
    whole = f"[{letter.incident}] {_one_line(letter.message.subject)}"
    return whole if len(whole) <= SUBJECT_MAX else whole[: SUBJECT_MAX - 1] + "…"


def _number(letter: MailMessage) -> str:
    number = _digest(letter.key)
    return f"{number}.{letter.tag}" if letter.tag else number


def _address(mailbox: Mailbox) -> Address:
    local, _, domain = mailbox.address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
        name = _one_line(mailbox.name)
        return Address(name, addr_spec=f"{local}@{ascii_domain}")
    except (ValueError, IndexError, MessageError) as error:
        # Neither the address nor the error, which contains it: reasons stay in the log.
        raise ValueError("the address is none that mail can go to") from error


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return "".join(each for each in line if category(each) not in ("Cc", "Cs"))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:_DIGITS]


def _short(key: str) -> str:
    plain = key.isascii() and key.isprintable() and " " not in key
    return key if plain and len(key) <= KEY_MAX else _digest(key)
