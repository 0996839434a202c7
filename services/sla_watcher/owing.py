"""Which clocks the support level has at which an incident is: what it owes the desk."""

from collections.abc import Iterator
from datetime import datetime

from services.sla_watcher.case import Case
from shared.domain.events.sla import Stop
from shared.domain.sla import OLAS, ClockName, named


def owing(case: Case) -> Iterator[tuple[ClockName, datetime, tuple[Stop, ...]]]:
    """Yield those that are not there yet: name, start, and no time in which it stood.

    Each stay at a level is a round of its own.

    Nothing is owed while service is back; after a relapse it counts from then. What
    only the policy owes that its promises were moved to counts from the move.
    """
    if case.gone or case.resolved_at or case.restored_at:
        return
    here = case.posts[-1]
    begun = here.entered_at
    start = max(begun, case.relapsed_at or begun, case.moved_at or begun)
    stay = sum(post.level == here.level for post in case.posts)
    first = case.split_off and case.cycle == 1 and stay == 1
    inherited = first and here.level == "n1"
    for target, (level, what) in OLAS.items():
        name = ClockName(target, case.cycle, stay)
        if level != here.level or named(case.clocks, name) is not None:
            continue
        taken = here.accepted_at is not None or inherited
        if what == "work" or not taken:
            yield name, start, ()
