"""Pauses: spans in which no working time passes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

Span = tuple[datetime, datetime]
"""From, to: aware instants, half-open."""
Seconds = tuple[int, int]
"""A span in whole seconds since 1970."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def second_of(at: datetime) -> int:
    """Return the second since 1970 in which `at` lies. TypeError without a zone."""
    return (at - _EPOCH) // _SECOND


def apart(pauses: Sequence[Span], start: int) -> list[Seconds]:
    """Return what lies after `start` of pauses, in order, each second once."""
    found: list[Seconds] = []
    for begins, ends in sorted((second_of(p), second_of(q)) for p, q in pauses):
        begins = max(begins, found[-1][1] if found else start)  # noqa: PLW2901 what is new of it
        if begins < ends:
            found.append((begins, ends))
    return found
