"""Builds the mail of a notification: plain text, with a key that identifies repeats.

No character in a name, title or key can end a header and begin another one.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from unicodedata import category

from shared.i18n.messages import Message
from shared.security.signed_links import ReplyTag

SUBJECT_MAX = 200
"""Characters; the body contains the subject title."""
KEY_MAX = 60
"""A longer key would be folded by the mail library: its digest is used instead."""
_DIGITS = 40


class _MailPolicy(EmailPolicy):
    """Begins a subject in its first line, and keeps its spaces.

    The mail library leaves that line empty if all of the subject fits in the second
    one; some mail programs then show a space before the reference. Where it divides
    words with accents over two lines, it may drop the space between them, so what
    follows the reference is encoded as one text.
    """

    def fold(self, name: str, value: str) -> str:
        """Return the lines of a header."""
        if name == "Subject" and not value.isascii():
            return self._encoded_subject(value)
        folded: str = super().fold(name, value)
        start = f"{name}:{self.linesep} "
        if name != "Subject" or not folded.startswith(start):
            return folded
        words = folded.removeprefix(start).split(" ")
        line = f"{name}: {words.pop(0)}"
        while words and len(line) + len(f" {words[0]}") <= (self.max_line_length or 0):
            line += f" {words.pop(0)}"
        return f"{line}{self.linesep} {' '.join(words)}" if words else line

    def _encoded_subject(self, value: str) -> str:
        reference, _, topic = value.partition(" ")
        begun = f"Subject: {reference}"
        text = Header(topic, "utf-8", self.max_line_length, header_name=begun)
        return f"{begun} {text.encode(linesep=self.linesep)}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return the lines of a header as they are sent."""
        if name != "Subject":
            return super().fold_binary(name, value)
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _MailPolicy(linesep="\r\n")


@dataclass(frozen=True)
class Mailbox:
    """An address and, optionally, the name of its owner."""

    address: str
    name: str = ""


@dataclass(frozen=True)
class MailMessage:
    """The contents of a mail. `at` becomes its date; `key` identifies repeats.

    `incident` is empty if it is about none.
    """

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


def mail_of(message: MailMessage) -> EmailMessage:
    """Return the mail; the same contents give the same mail.

    Raise `ValueError` if mail cannot be sent to an address.
    """
    sender, to = _address(message.sender), _address(message.to)
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = to
    if message.reply_to is not None:
        mail["Reply-To"] = _address(Mailbox(message.reply_to, message.sender.name))
    mail["Subject"] = subject_of(message)
    mail["Date"] = message.at
    mail["Message-ID"] = f"<{_number(message)}@{sender.domain}>"
    if message.incident:
        thread = f"<{message.incident}@{sender.domain}>"
        mail["In-Reply-To"] = thread
        mail["References"] = thread
    mail["Idempotency-Key"] = _short(message.key)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_encodable(message.message.body))
    return mail


def subject_of(message: MailMessage) -> str:
    """Return the subject: the reference of the incident, if any, then its topic."""
    reference = f"[{message.incident}] " if message.incident else ""
    subject = f"{reference}{_one_line(message.message.subject)}"
    return subject if len(subject) <= SUBJECT_MAX else subject[: SUBJECT_MAX - 1] + "…"


def _number(message: MailMessage) -> str:
    number = _digest(message.key)
    return f"{number}.{message.tag}" if message.tag else number


def _address(mailbox: Mailbox) -> Address:
    local, _, domain = mailbox.address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
        name = _one_line(mailbox.name)
        return Address(name, addr_spec=f"{local}@{ascii_domain}")
    except (ValueError, IndexError, MessageError) as error:
        # Neither the address nor the error, which contains it: reasons stay in the log.
        raise ValueError("mail cannot be sent to this address") from error


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
