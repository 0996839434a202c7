"""Parses instants as monitoring systems write them: numbers and texts."""

import re
from datetime import UTC, datetime, tzinfo

_SECONDS_BELOW = 10**11
_MILLIS_BELOW = 10**14
_MICROS_BELOW = 10**17
"""As seconds, a number this large is in the year 5138: its unit must be smaller."""
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,9})?")
_DOTTED_OFFSET = re.compile(r"(?<=[+-]\d\d)\.(?=\d\d$)")
_FIRST_YEAR = 1970
"""Some systems write an earlier date to mark a missing instant."""


def instant(said: object, zone: tzinfo = UTC) -> datetime | None:
    """Return the instant in UTC, or None if `said` is not one.

    Numbers, also as text, are seconds, milliseconds, microseconds or nanoseconds since
    1970. A text without an offset is local time in `zone`. A value that cannot be read
    gives None rather than an error: the signal matters more than its date.
    """
    try:
        match said:
            case bool() | None:
                return None
            case int() | float():
                return _since_1970(float(said))
            case str() if _NUMBER.fullmatch(said.strip()):
                return _since_1970(float(said))
            case str():
                return _written(said.strip(), zone)
            case _:
                return None
    except (ValueError, OverflowError, OSError):
        return None


def _since_1970(number: float) -> datetime | None:
    for bound, unit in (
        (_SECONDS_BELOW, 1),
        (_MILLIS_BELOW, 1e3),
        (_MICROS_BELOW, 1e6),
    ):
        if number < bound:
            return datetime.fromtimestamp(number / unit, UTC) if number > 0 else None
    return datetime.fromtimestamp(number / 1e9, UTC)


def _written(text: str, zone: tzinfo) -> datetime | None:
    read = datetime.fromisoformat(_DOTTED_OFFSET.sub(":", text))
    if read.year < _FIRST_YEAR:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
