"""A letter as read: who wrote, what about, in which words, and whether a person did.

Headers of a mail, whatever was put into them: reading one never fails.

The library's own parsing trips over some of what is sent, so headers are taken raw.

How much of a mail is parsed: what anybody sends must cost no more than its length.

Python's parser holds each line against each boundary that is open, keeps an object for
each part and each header, and looks through the parameters of a header once for each of
them. A mail made for it would take hours; people's mails come nowhere near.
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

from shared.security.signed_links import ReplyTag

LETTER_BYTES_MAX = 10 * 1024 * 1024
"""What is read of a mail; of a longer one, only its beginning."""
KEPT_WORDS_MAX = 200_000
"""Characters of its words that are kept with it; a contact holds fewer."""
ATTACHMENTS_MAX = 50
"""Attachments that are named, each on a line; more are only counted."""
PARTS_MAX = 1_000
"""Parts of a mail that are looked at."""
INCIDENTS_MAX = 20
"""Incidents that one letter may name; it belongs to the first there is."""
ADDRESS_MAX = 254
NAME_MAX = 200
SUBJECT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Attachment:
    """What came with a letter: its name, kind and size; its content is not kept."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class InboundMail:
    """What somebody wrote to the desk.

    `key` is the same for the same mail, however often and on whatever way it comes.
    `automatic` says why no person wrote it, None where one did. `words` are verbatim,
    with whatever they quote; `fresh` is what comes before that.
    """

    key: UUID
    sender: str
    """The address, in small letters; empty if it cannot be read."""
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
    """Service and language are said in the form only."""
    authentic: bool = False
    """The server that received it says that its sender's domain did send it."""
    tags: tuple[ReplyTag, ...] = ()
    """What it shows of a mail of ours that it answers."""


LINES_TIMES_BOUNDARIES_MAX = 2_000_000
"""Lines that are read, times the boundaries that may be open at them."""
BOUNDARIES_MAX = 1_000
"""More of them are not told from this many: the parser nests no deeper."""
DELIMITERS_MAX = 10_000
"""Lines that may begin a part."""
HEADER_LINES_MAX = 10_000
"""Lines of the header of a mail."""
PART_HEADER_CHARACTERS_MAX = 2_000
"""What is read of the headers that say of which kind a part is, and its name."""

_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)
_DELIMITER = re.compile(rb"^--", re.MULTILINE)
_LINE = re.compile(rb"\r\n|\r|\n")
_BLANK = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def within_reach(written: bytes) -> bytes:
    """Return as much of a mail, from its beginning, as is parsed in good time."""
    written = _without_excess_headers(written)
    boundaries = min(_count(_BOUNDARY, written), BOUNDARIES_MAX)
    lines = LINES_TIMES_BOUNDARIES_MAX // (boundaries + 1)
    return _before(_DELIMITER, _before(_LINE, written, lines), DELIMITERS_MAX)


def with_short_headers(part: Message) -> Message:
    """Return a part whose own headers are short enough to be taken to pieces."""
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
    """Return what comes before the mark that is one too many."""
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
    """Return the first header of a name as written, empty where there is none."""
    return next(iter(every(message, name)), "")


def every(message: Message, name: str) -> Sequence[str]:
    """Return all headers of a name as they were written."""
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
    """Return what encoded words (RFC 2047) say, on one line."""
    try:
        read = str(make_header(decode_header(written)))
    except _UNREADABLE:
        read = written
    return on_one_line(read)


def on_one_line(written: str) -> str:
    """Return text without control characters and without spaces to spare."""
    return " ".join(_CONTROL.sub(" ", written).split())


def sender(message: Message) -> tuple[str, str]:
    """Return the address and the name a mail says it is from; both may be empty."""
    for header in ("From", "Sender"):
        with suppress(*_UNREADABLE):
            for name, address in getaddresses([raw(message, header)]):
                if is_address(address):
                    return address.lower(), decoded(name)[:NAME_MAX]
    return "", ""


def is_address(written: str) -> bool:
    """Tell whether this may be an address that mail comes from."""
    local, at, domain = written.rpartition("@")
    plain = written.isprintable() and not set(written) & set(' <>,;:"()')
    return bool(at and local and domain and plain and len(written) <= ADDRESS_MAX)


def instant(message: Message) -> datetime | None:
    """Return when a mail says that it was written; without a zone: UTC."""
    try:
        found = parsedate_to_datetime(raw(message, "Date"))
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (*_UNREADABLE, OverflowError):
        return None


def _unescaped(written: str) -> str:
    """Return text whose bytes were no ASCII, which is forbidden and usual."""
    held = written.encode("utf-8", "surrogateescape")
    try:
        return held.decode("utf-8")
    except UnicodeDecodeError:
        return held.decode("cp1252", "replace")
