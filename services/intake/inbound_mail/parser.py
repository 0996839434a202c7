"""Parses the bytes of a mail (RFC 5322) into an `InboundMail`. Never fails.

See https://www.rfc-editor.org/rfc/rfc5322, and rfc2045 for MIME. A malformed mail is
read as far as possible, so that no message to the desk is lost; one that cannot be read
at all is set aside, and can be taken again.
"""

import uuid
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from hashlib import sha256

import structlog

from services.intake.inbound_mail.authentication import is_authentic
from services.intake.inbound_mail.automatic_mail import why_automatic
from services.intake.inbound_mail.content import content_of
from services.intake.inbound_mail.message import (
    ATTACHMENTS_MAX,
    KEPT_WORDS_MAX,
    LETTER_BYTES_MAX,
    InboundMail,
    instant,
    on_one_line,
    raw,
    sender,
    within_reach,
)
from services.intake.inbound_mail.placement import (
    fresh_part,
    incidents_named,
    subject_of,
    tags_shown,
)

NAMESPACE = uuid.UUID("5f0c1d2e-7a64-4b39-9a8e-3f6f1f1d7c55")
"""Namespace of the keys, so that the same mail always has the same key."""
MESSAGE_ID_MAX = 998

_log = structlog.get_logger(__name__)


def read_letter(
    written: bytes,
    our_address: str | None = None,
    authserv_id: str | None = None,
    *,
    is_cut: bool = False,
) -> InboundMail:
    """Return the parsed mail; `our_address` is the desk's sender address.

    `authserv_id` is the name of the receiving server whose authentication results
    count, or None if not configured; `is_cut` if its end is missing.
    """
    try:
        return _read(written, our_address, authserv_id, is_cut=is_cut)
    except Exception as error:  # noqa: BLE001 # whatever a stranger sends is one mail
        _log.warning("letter.unreadable", error=type(error).__name__)
        return unread(written, f"it cannot be read ({type(error).__name__})")


def unread(written: bytes, why: str) -> InboundMail:
    """Return a mail of which nothing but its bytes is known."""
    return InboundMail(
        key=_key(written, "", None, ""),
        sender="",
        name="",
        subject="",
        words="",
        fresh="",
        unreadable=why,
    )


def _read(
    written: bytes, our_address: str | None, authserv_id: str | None, *, is_cut: bool
) -> InboundMail:
    read = within_reach(written[:LETTER_BYTES_MAX])
    message = _parsed(read)
    address, name = sender(message)
    message_id = on_one_line(raw(message, "Message-ID"))[:MESSAGE_ID_MAX] or None
    is_cut = is_cut or len(written) >= LETTER_BYTES_MAX or len(read) < len(written)
    content = content_of(message, is_cut=is_cut)
    words = content.text[:KEPT_WORDS_MAX]
    return InboundMail(
        key=_key(written, address, message_id, words),
        sender=address,
        name=name,
        subject=subject_of(message),
        words=words,
        fresh=fresh_part(words),
        incidents=incidents_named(message, our_address),
        attachments=content.attachments[:ATTACHMENTS_MAX],
        files=content.files,
        automatic=why_automatic(message, address, our_address),
        message_id=message_id,
        sent_at=instant(message),
        authentic=is_authentic(message, address, authserv_id),
        tags=tags_shown(message, our_address),
    )


def _parsed(written: bytes) -> Message:
    try:
        # The older policy parses headers lazily, and raises less.
        return BytesParser(policy=compat32).parsebytes(written)
    except Exception:  # noqa: BLE001 # it should not raise, but has done so
        message = Message()
        message.set_payload(written.decode("utf-8", "replace"), "utf-8")
        return message


def _key(written: bytes, address: str, message_id: str | None, words: str) -> uuid.UUID:
    """Return a key from sender, message id and text, which identifies a mail.

    The text is included so that nobody can pass off a mail as one received before.
    Without a message id the whole mail is used: the same bytes are the same mail.
    """
    if message_id:
        said = sha256(words.encode("utf-8", "replace")).hexdigest()
        return uuid.uuid5(NAMESPACE, f"id|{address}|{message_id}|{said}")
    return uuid.uuid5(NAMESPACE, f"digest|{sha256(written).hexdigest()}")
