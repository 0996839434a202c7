"""Tags in our mails that vouch for the replies to them, signed by us.

Anybody can write any sender and guess any reference. Only a reader of our mail about
an incident knows its tag, which is good for that incident and for the address the mail
was sent to. Each mail to a user carries it in its Message-ID, which programs quote when
they reply, and in the address for replies where the mailbox takes `desk+anything@…`.
"""

import hmac
import re
from datetime import date
from hashlib import sha256
from typing import NamedTuple

PURPOSE = "reply tags"
"""Of the key that signs them: see `Vault.key_for`."""
_SIGNATURE_BYTES = 12
_PRESENTED = re.compile(
    r"(?<![A-Za-z0-9])(INC-(?:[0-9]{1,3}-)?[0-9]{6,12})\.([0-9]{8})"
    rf"\.([0-9a-f]{{{2 * _SIGNATURE_BYTES}}})@([^<>@\s,;]+)",
    re.IGNORECASE,
)


class ReplyTag(NamedTuple):
    """A tag as a mail presents it, with the day on which we say we wrote it."""

    incident: str
    day: str
    signature: str

    def __str__(self) -> str:
        """Return how it is written before the @ of an id or an address."""
        return ".".join(self)


def tag_of(key: bytes, incident: str, address: str, written_on: date) -> ReplyTag:
    """Return the tag of what is mailed to `address` about an incident on a day."""
    day = written_on.isoformat().replace("-", "")
    return ReplyTag(incident, day, _signature(key, incident, day, address))


def presented(text: str, domain: str | None) -> tuple[ReplyTag, ...]:
    """Return the tags in headers; only those of our own domain, where it is known."""
    return tuple(
        ReplyTag(incident.upper(), day, signature.lower())
        for incident, day, signature, at in _PRESENTED.findall(text)
        if domain is None or at.lower() == domain.lower()
    )


def vouches(key: bytes, tag: ReplyTag, address: str, since: str | None) -> bool:
    """Tell whether we mailed this tag to `address`, and not before the day `since`."""
    good = _signature(key, tag.incident, tag.day, address)
    if not hmac.compare_digest(tag.signature, good):
        return False
    return since is None or tag.day >= since.replace("-", "")


def _signature(key: bytes, incident: str, day: str, address: str) -> str:
    told = f"{incident}|{day}|{address.lower()}".encode()
    return hmac.digest(key, told, sha256)[:_SIGNATURE_BYTES].hex()
