"""When the limits of a channel allow the next page to one contact method. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from shared.domain.policy.teams import ChannelLimit

AHEAD_MAX = timedelta(minutes=1)
"""How far the clocks of processes that send pages may differ."""


def next_at(
    sent: Sequence[datetime], limits: Sequence[ChannelLimit], now: datetime
) -> datetime:
    """Return when one more page may leave: `now`, or the first instant after it.

    `sent` are the instants of those that left, the oldest first.
    """
    at = now
    while True:
        allowed = max(
            (_allowed_at(sent, *each, at) for each in _rows(limits)), default=at
        )
        if allowed <= at:
            return at
        at = allowed


def kept(
    sent: Sequence[datetime], limits: Sequence[ChannelLimit], now: datetime
) -> list[datetime]:
    """Return those of the instants that still count for a limit.

    Those of a clock that was far ahead do not: pages would wait until it is that late.
    """
    longest = max((each.within for each in limits), default=timedelta())
    return [each for each in sent if now - longest < each <= now + AHEAD_MAX]


def _rows(
    limits: Sequence[ChannelLimit],
) -> list[tuple[ChannelLimit, ChannelLimit | None]]:
    """Return each limit with the one before it."""
    return [(limit, before) for before, limit in pairwise((None, *limits)) if limit]


def _allowed_at(
    sent: Sequence[datetime],
    limit: ChannelLimit,
    before: ChannelLimit | None,
    at: datetime,
) -> datetime:
    """Return when one limit allows one more after those sent by `at`, not before it.

    A limit that is spread allows what the limit before it does, and then one more in
    equal parts of the rest of its time, counted from the first page within it.
    """
    inside = [each for each in sent if each > at - limit.within]
    if len(inside) >= limit.messages:
        return inside[-limit.messages] + limit.within
    if not limit.spread or before is None or len(inside) < before.messages:
        return at
    part = (limit.within - before.within) / (limit.messages - before.messages)
    more = len(inside) - before.messages
    return max(at, inside[0] + before.within + more * part)
