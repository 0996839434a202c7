"""Validated types for texts and instants from people and monitoring systems."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated
from unicodedata import category

from pydantic import AfterValidator, AwareDatetime, StringConstraints
from pydantic_core import PydanticCustomError

TITLE_MAX = 1_024
WORDS_MAX = 10_000
WORDS_BYTES_MAX = 30_000
"""An event holds at most 64 KB, and encrypted text takes a third more space."""
REASON_MAX = 1_000

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)
AHEAD_MAX = timedelta(days=1)

_OF_ADDRESS = r"[^\s\x00-\x1f\x7f@<>,;:\"()]"
MAIL_ADDRESS = rf"{_OF_ADDRESS}{{1,64}}@{_OF_ADDRESS}{{1,180}}\.[A-Za-z]{{2,63}}"
"""The pattern of an address to which the desk writes."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROL_IN_LINE = re.compile(r"[\x00-\x1f\x7f]")

_INVISIBLE = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
"""Categories of Unicode: control and format characters, blanks and line breaks."""
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""Of other categories, and invisible all the same: letters and marks that fill."""


def is_visible(text: str) -> bool:
    """Return whether there is anything to read in `text`."""
    return any(
        category(each) not in _INVISIBLE and not _FILLERS.match(each) for each in text
    )


def line(text: str) -> str:
    """Return `text` if it has no control characters; else a validation error."""
    return text if text.isprintable() else _without(_CONTROL_IN_LINE, text)


def _words(text: str) -> str:
    if len(text) > WORDS_BYTES_MAX // 4 and len(text.encode()) > WORDS_BYTES_MAX:
        raise PydanticCustomError(
            "too_long",
            "the text takes more than {most} bytes in UTF-8: shorten it",
            {"most": WORDS_BYTES_MAX},
        )
    return text if text.isprintable() else _without(_CONTROL, text)


def _without(control: re.Pattern[str], text: str) -> str:
    found = control.search(text)
    if found:
        raise PydanticCustomError(
            "control_character",
            "character {place} is the control character {code}: remove it",
            {"place": found.start() + 1, "code": f"U+{ord(found[0]):04X}"},
        )
    return text


def visible(text: str) -> str:
    """Return `text` if there is something to read in it; else a validation error."""
    if not is_visible(text):
        raise PydanticCustomError(
            "blank", "there is nothing to read in it: say it in words"
        )
    return text


def _credible(instant: datetime) -> datetime:
    if not EARLIEST <= instant < LATEST:
        raise PydanticCustomError(
            "absurd_instant",
            "an instant outside the years 2000 to 2999 is not credible",
        )
    return instant.astimezone(UTC)


SignalTitle = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TITLE_MAX, strip_whitespace=True),
    AfterValidator(line),
]
"""As a monitoring system writes it: an alert counts even if its title is invisible."""
Title = Annotated[SignalTitle, AfterValidator(visible)]
Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=WORDS_MAX),
    AfterValidator(_words),
    AfterValidator(visible),
]
Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=REASON_MAX, strip_whitespace=True),
    AfterValidator(_words),
    AfterValidator(visible),
]
Instant = Annotated[AwareDatetime, AfterValidator(_credible)]
"""Aware, in the years 2000 to 2999; converted to UTC."""
