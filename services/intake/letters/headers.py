"""Headers of a mail, whatever was put into them: reading one never fails.

The library's own parsing trips over some of what is sent, so headers are taken raw.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from services.intake.letters.letter import ADDRESS_MAX, NAME_MAX

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
