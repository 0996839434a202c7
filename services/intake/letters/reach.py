"""How much of a mail is parsed: what anybody sends must cost no more than its length.

Python's parser holds each line against each boundary that is open, keeps an object for
each part and each header, and looks through the parameters of a header once for each of
them. A mail made for it would take hours; people's mails come nowhere near.
"""

import re
from email.message import Message

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
