"""Mails as people and machines send them, written by hand."""

from email.message import EmailMessage
from email.policy import SMTP


def mail(
    words: str = "The portal shows a blank page.",
    *,
    sender: str = "M. Costa <costa@valmont.example>",
    subject: str = "Portal down",
    message_id: str | None = "<1@valmont.example>",
    **headers: str,
) -> bytes:
    """Return a mail; `in_reply_to=` and the like become headers."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = "desk@permanence.example"
    made["Subject"] = subject
    made["Date"] = "Mon, 30 Jun 2025 08:07:00 +0200"
    if message_id:
        made["Message-ID"] = message_id
    for name, value in headers.items():
        made[name.replace("_", "-").title()] = value
    made.set_content(words)
    return made.as_bytes()


def written(head: str, body: str = "", encoding: str = "latin-1") -> bytes:
    """Return a mail byte for byte as written, its lines ended as mails' are."""
    whole = f"{head.strip()}\n\n{body}"
    return whole.replace("\n", "\r\n").encode(encoding)
