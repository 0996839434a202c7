"""Mails with attached and inline files, as mail programs write them."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple


class Part(NamedTuple):
    """A file of a mail: how it is called and declared, and where it is shown."""

    content: bytes
    name: str | None = "screen.png"
    kind: str = "image/png"
    is_inline: bool = False


def mail_with(
    *parts: Part,
    words: str = "See the picture.",
    message_id: str = "<1@valmont.example>",
    sender: str = "costa@valmont.example",
    **headers: str,
) -> bytes:
    """Return a mail with these files."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = "desk@permanence.example"
    made["Subject"] = "Portal down"
    made["Message-ID"] = message_id
    for name, value in headers.items():
        made[name.replace("_", "-").title()] = value
    made.set_content(words)
    for part in parts:
        _add(made, part)
    return made.as_bytes()


def _add(made: EmailMessage, part: Part) -> None:
    main, _, sub = part.kind.partition("/")
    made.add_attachment(part.content, maintype=main, subtype=sub, filename=part.name)
    added: Sequence[EmailMessage] = made.get_payload()  # type: ignore[assignment] # it has parts
    if part.is_inline:
        del added[-1]["Content-Disposition"]
        named = f'; filename="{part.name}"' if part.name else ""
        added[-1]["Content-Disposition"] = f"inline{named}"
        added[-1]["Content-ID"] = "<image001@valmont.example>"
