"""Signed links for answers without an account, and signed tags that verify replies.

The holder of a link may answer as the person it was sent to, one question only, until
the link expires. An answer cannot be changed: a link is valid for one answer.

Anybody can forge a sender and guess a reference. Only a reader of the desk's mail about
an incident knows its tag, which is valid for that incident and for the address to which
the mail was sent. Each mail to a user contains it in its Message-ID, which mail
programs quote in replies, and in the reply address if the mailbox accepts
`desk+anything@…`.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import NamedTuple

from shared.domain.identifiers import is_extension_ref
from shared.domain.policy.clause import PERSON

PURPOSE = "answer links"
TOKEN_MAX = 512
_SIGNATURE_BYTES = 24
_BETWEEN = "|"


class AnswerLink(NamedTuple):
    """The content of a link: the extension to answer, the person, and the expiry."""

    extension: str
    person: str
    until: datetime


def token_of(key: bytes, link: AnswerLink) -> str:
    """Return the token for the address of a link."""
    until = str(int(link.until.timestamp()))
    told = _BETWEEN.join((link.extension, link.person, until)).encode()
    return _text(told + _signature(key, told))


def read_token(keys: Iterable[bytes], token: str) -> AnswerLink | None:
    """Return the content of a link, None if none of these keys signed it."""
    raw = _bytes(token)
    told, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    ours = [hmac.compare_digest(signature, _signature(key, told)) for key in keys]
    if not any(ours):
        return None
    extension, person, until = told.decode().split(_BETWEEN)
    if not is_extension_ref(extension) or re.fullmatch(PERSON, person) is None:
        return None
    return AnswerLink(extension, person, datetime.fromtimestamp(int(until), UTC))


def _signature(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, sha256)[:_SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(token: str) -> bytes:
    """Return the bytes of a token; empty if it is malformed."""
    if len(token) > TOKEN_MAX or re.fullmatch(r"[A-Za-z0-9_-]+", token) is None:
        return b""
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        return b""


REPLY_TAGS_PURPOSE = "reply tags"
"""The purpose of the key that signs tags: see `Vault.key_for`."""
_REPLY_TAGS_SIGNATURE_BYTES = 12
_PRESENTED = re.compile(
    r"(?<![A-Za-z0-9])(INC-(?:[0-9]{1,3}-)?[0-9]{6,12})\.([0-9]{8})"
    rf"\.([0-9a-f]{{{2 * _REPLY_TAGS_SIGNATURE_BYTES}}})@([^<>@\s,;]+)",
    re.IGNORECASE,
)


class ReplyTag(NamedTuple):
    """A tag from a mail, with the day on which that mail claims to be written."""

    incident: str
    day: str
    signature: str

    def __str__(self) -> str:
        """Return its text form before the @ of an id or an address."""
        return ".".join(self)


def tag_of(key: bytes, incident: str, address: str, written_on: date) -> ReplyTag:
    """Return the tag for mails to `address` about an incident on a day."""
    day = written_on.isoformat().replace("-", "")
    return ReplyTag(incident, day, _reply_tags_signature(key, incident, day, address))


def presented(text: str, domain: str | None) -> tuple[ReplyTag, ...]:
    """Return the tags in headers; only those of the desk's domain, if it is known."""
    return tuple(
        ReplyTag(incident.upper(), day, signature.lower())
        for incident, day, signature, at in _PRESENTED.findall(text)
        if domain is None or at.lower() == domain.lower()
    )


def vouches(key: bytes, tag: ReplyTag, address: str, since: str | None) -> bool:
    """Return whether the desk mailed this tag to `address`, not before `since`."""
    good = _reply_tags_signature(key, tag.incident, tag.day, address)
    if not hmac.compare_digest(tag.signature, good):
        return False
    return since is None or tag.day >= since.replace("-", "")


def _reply_tags_signature(key: bytes, incident: str, day: str, address: str) -> str:
    told = f"{incident}|{day}|{address.lower()}".encode()
    return hmac.digest(key, told, sha256)[:_REPLY_TAGS_SIGNATURE_BYTES].hex()
