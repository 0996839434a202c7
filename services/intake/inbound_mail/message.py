"""The inbound mail as parsed: sender, subject, text, and whether it is automatic.

Header values are read raw, since the library's own parsing fails on some real mails;
reading a header never fails. The amount of parsing is limited: Python's parser compares
each line with each open boundary, keeps an object for each part and header, and rescans
the parameters of a header for each of them. A mail made for that purpose would take
hours, while normal mails stay far below the limits.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from uuid import UUID

from services.intake.attachments.rules import IncomingFile
from shared.security.signed_links import ReplyTag

LETTER_BYTES_MAX = 25 * 1024 * 1024
"""Only this much of a longer mail is read."""
KEPT_WORDS_MAX = 200_000
"""Characters of its text that are stored with it; a contact holds fewer."""
ATTACHMENTS_MAX = 50
"""Attachments that are listed, one on each line; more are only counted."""
PARTS_MAX = 1_000
"""Parts of a mail that are read."""
INCIDENTS_MAX = 20
"""Incidents that one mail may name; it belongs to the first that exists."""
ADDRESS_MAX = 254
NAME_MAX = 200
SUBJECT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment of a mail as its sender declared it: name, type and size."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A message that somebody wrote to the desk, by mail or by form.

    `key` is the same for the same mail, however often and by whichever way it arrives.
    `automatic` says why a person did not write it, or is None. `words` is the verbatim
    text with quotations; `fresh` is the part before the first quotation.
    """

    key: UUID
    sender: str
    """The address in lower case; empty if it cannot be read."""
    name: str
    subject: str
    words: str
    fresh: str
    incidents: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    automatic: str | None = None
    message_id: str | None = None
    sent_at: datetime | None = None
    service: str | None = None
    language: str | None = None
    """Service and language come from the form only."""
    authentic: bool = False
    """The receiving server confirms that the sender's domain sent it."""
    tags: tuple[ReplyTag, ...] = ()
    """Reply tags of the mails of ours that it answers."""
    files: tuple[IncomingFile, ...] = ()
    """Its attachments with their content, which the incident keeps."""
    unreadable: str | None = None
    """Why only its bytes are of use, or None if it was read."""


LINES_TIMES_BOUNDARIES_MAX = 2_000_000
"""Limit on lines times the boundaries that may be open at them."""
BOUNDARIES_MAX = 1_000
"""The limit on counted boundaries: the parser nests no deeper."""
DELIMITERS_MAX = 10_000
"""Lines that may begin a part."""
HEADER_LINES_MAX = 10_000
"""Lines of the header of a mail."""
PART_HEADER_CHARACTERS_MAX = 2_000
"""Characters read of the headers with a part's type and name."""

_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)
_DELIMITER = re.compile(rb"^--", re.MULTILINE)
_LINE = re.compile(rb"\r\n|\r|\n")
_BLANK = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def within_reach(written: bytes) -> bytes:
    """Return the beginning of a mail that can be parsed in reasonable time."""
    written = _without_excess_headers(written)
    boundaries = min(_count(_BOUNDARY, written), BOUNDARIES_MAX)
    lines = LINES_TIMES_BOUNDARIES_MAX // (boundaries + 1)
    return _before(_DELIMITER, _before(_LINE, written, lines), DELIMITERS_MAX)


def with_short_headers(part: Message) -> Message:
    """Return a part with its own headers cut to a length that can be parsed."""
    for name in ("Content-Type", "Content-Disposition"):
        held = part.get(name)
        if held is not None and len(str(held)) > PART_HEADER_CHARACTERS_MAX:
            short = str(held)[:PART_HEADER_CHARACTERS_MAX]
            del part[name]
            part[name] = short
    return part


def _without_excess_headers(written: bytes) -> bytes:
    blank = _BLANK.search(written)
    end = blank.start() if blank else len(written)
    head = _before(_LINE, written[:end], HEADER_LINES_MAX)
    return written if len(head) == end else head + written[end:]


def _before(mark: re.Pattern[bytes], written: bytes, most: int) -> bytes:
    """Return what comes before the first mark above the limit."""
    for number, found in enumerate(mark.finditer(written)):
        if number >= most:
            return written[: found.start()]
    return written


def _count(mark: re.Pattern[bytes], written: bytes) -> int:
    return sum(1 for _ in mark.finditer(written))


HEADER_CHARACTERS_MAX = 20_000
_UNREADABLE = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    HeaderParseError,
    RecursionError,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


def raw(message: Message, name: str) -> str:
    """Return the first header of a name as written, or an empty text."""
    return next(iter(every(message, name)), "")


def every(message: Message, name: str) -> Sequence[str]:
    """Return all headers of a name as written."""
    wanted = name.lower()
    return [
        _unescaped(str(value)[:HEADER_CHARACTERS_MAX])
        for key, value in message.raw_items()
        if key.lower() == wanted
    ]


def text(message: Message, name: str) -> str:
    """Return a header as people read it, on one line."""
    return decoded(raw(message, name))


def decoded(written: str) -> str:
    """Return the decoded text of encoded words (RFC 2047), on one line."""
    try:
        read = str(make_header(decode_header(written)))
    except _UNREADABLE:
        read = written
    return on_one_line(read)


def on_one_line(written: str) -> str:
    """Return text without control characters and superfluous spaces."""
    return " ".join(_CONTROL.sub(" ", written).split())


def sender(message: Message) -> tuple[str, str]:
    """Return the sender's address and name; both may be empty."""
    for header in ("From", "Sender"):
        with suppress(*_UNREADABLE):
            for name, address in getaddresses([raw(message, header)]):
                if is_address(address):
                    return address.lower(), decoded(name)[:NAME_MAX]
    return "", ""


def authors(message: Message) -> Sequence[tuple[str, str]]:
    """Return the name and address of each author; nobody if they cannot be read."""
    with suppress(*_UNREADABLE):
        return getaddresses(every(message, "From"))
    return ()


def is_address(written: str) -> bool:
    """Return whether this may be an e-mail address."""
    local, at, domain = written.rpartition("@")
    plain = written.isprintable() and not set(written) & set(' <>,;:"()')
    return bool(at and local and domain and plain and len(written) <= ADDRESS_MAX)


def instant(message: Message) -> datetime | None:
    """Return the date of a mail; without a zone it counts as UTC."""
    try:
        found = parsedate_to_datetime(raw(message, "Date"))
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (*_UNREADABLE, OverflowError):
        return None


def _unescaped(written: str) -> str:
    """Return text that was sent as raw bytes, which is forbidden but common."""
    held = written.encode("utf-8", "surrogateescape")
    try:
        return held.decode("utf-8")
    except UnicodeDecodeError:
        return held.decode("cp1252", "replace")
