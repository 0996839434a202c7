"""Who hands over to whom, and which gaps are to come. Pure.

Instants and rosters are arguments. What was observed once is never decided again: the
rules continue from what the log says, and look at nothing before that.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from services.escalation.on_call.state import (
    KnownGap,
    Observed,
    People,
    RosterVersion,
)
from services.escalation.rules.context import BY
from shared.domain.events.on_call_history import (
    OnCallGapClosed,
    OnCallGapFound,
    OnCallHandedOver,
)
from shared.domain.on_call import Roster, shifts
from shared.domain.on_call.coverage import GAP_ALARM_BEFORE, unexpected_gaps
from shared.domain.policy.schedules import Role

REACH = timedelta(days=28)
"""How far gaps are followed to their ends; a longer one is reported again later."""
_MOMENT = timedelta(microseconds=1)


def handovers(
    observed: Observed, versions: Sequence[RosterVersion], now: datetime
) -> Iterator[OnCallHandedOver]:
    """Yield the hand-overs after `observed.upto`, up to and including `now`, in order.

    `versions` are in the order of their instants; the first one was in force at
    `observed.upto`. A role that was never observed begins there, or with its version.
    After some of the events, the others follow from what is observed by then.
    """
    held = dict(observed.people)
    for index, version in enumerate(versions):
        ends = versions[index + 1].since - _MOMENT if versions[index + 1 :] else now
        begins = max(version.since, observed.upto)
        found = sorted(
            (at, role, people)
            for role in sorted({*held, *_roles(version.roster)})
            for at, people in _changes(version.roster, role, begins, min(ends, now))
        )
        for at, role, people in found:
            if held.get(role) == people:
                continue
            outgoing, held[role] = held.get(role, ()), people
            yield OnCallHandedOver(
                at=now,
                by=BY,
                schedule=observed.schedule,
                role=role,
                at_instant=at,
                outgoing=outgoing,
                incoming=people,
                policy=version.policy,
            )


def next_change(roster: Roster, now: datetime, ahead: timedelta) -> datetime:
    """Return the first instant after `now` at which somebody else may be on call.

    That is `now` and `ahead` at the latest.
    """
    until = now + ahead
    instants = [
        at
        for role in _roles(roster)
        for shift in shifts(roster, now, until, role)
        for at in (shift.begins, shift.ends)
    ]
    return min((at for at in instants if now < at < until), default=until)


def _roles(roster: Roster | None) -> set[Role]:
    if roster is None:
        return set()
    return {layer.role for layer in roster.layers} | {
        override.role for override in roster.overrides
    }


def _changes(
    roster: Roster | None, role: Role, since: datetime, until: datetime
) -> Iterator[tuple[datetime, People]]:
    """Yield who is on call at `since`, and after each change up to `until`."""
    if since > until:
        return
    if roster is None:
        yield since, ()
        return
    covered = since
    for shift in shifts(roster, since, until + _MOMENT, role):
        if shift.begins > covered:
            yield covered, ()
        yield max(since, shift.begins), shift.people
        covered = shift.ends
    if covered <= until:
        yield covered, ()


def gap_events(
    observed: Observed, roster: Roster | None, policy: int, now: datetime
) -> Iterator[OnCallGapFound | OnCallGapClosed]:
    """Yield gaps that are alarms and were not found before; and closed ones.

    A known gap that became shorter stays as it is. One that became longer is found
    again, with its new end.
    """
    coming = list(_coming(roster, now)) if roster else []
    common = {"at": now, "by": BY, "schedule": observed.schedule, "policy": policy}
    for known in sorted(observed.gaps):
        if known.end > now and not any(_meet(known, gap, now) for gap in coming):
            yield OnCallGapClosed(**common, **known._asdict())
    for gap in coming:
        if not any(_includes(known, gap, now) for known in observed.gaps):
            yield OnCallGapFound(**common, **gap._asdict())


def _coming(roster: Roster, now: datetime) -> Iterator[KnownGap]:
    # Other roles are paged besides the primary, and need not cover every hour.
    for start, end in unexpected_gaps(roster, now, now + GAP_ALARM_BEFORE + REACH):
        if start < now + GAP_ALARM_BEFORE:
            yield KnownGap("primary", start, end)


def _meet(known: KnownGap, gap: KnownGap, now: datetime) -> bool:
    return (
        known.role == gap.role
        and max(known.start, now) < gap.end
        and gap.start < known.end
    )


def _includes(known: KnownGap, gap: KnownGap, now: datetime) -> bool:
    """Return whether a gap, as far as it is soon, was found before."""
    return (
        known.role == gap.role
        and known.start <= gap.start
        and min(gap.end, now + GAP_ALARM_BEFORE) <= known.end
    )
