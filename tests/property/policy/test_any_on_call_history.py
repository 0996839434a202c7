"""The history of a schedule says who was on call at every instant, once.

However often the schedule is looked at, however long nobody looked, whatever the
policy became meanwhile, and wherever a process died in between.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice, pairwise
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from services.escalation.on_call.rules import handovers
from services.escalation.on_call.state import Observed, RosterVersion, replay
from shared.domain.events.on_call_history import OnCallHandedOver
from shared.domain.on_call import Roster, on_call
from shared.domain.policy.schedules import Role
from tests.support.strategies.rosters import MINUTE, ZONES, instants, rosters


def in_force(versions: Sequence[RosterVersion], at: datetime) -> Roster | None:
    return [each for each in versions if each.since <= at][-1].roster


def recorded(
    observed: Observed, versions: Sequence[RosterVersion], now: datetime, most: int
) -> tuple[Observed, list[OnCallHandedOver]]:
    """Record up to `most` hand-overs up to `now`, as the worker does."""
    past = [each for each in versions if each.since <= now]
    known = [each for each in past if each.since <= observed.upto][-1:]
    known += [each for each in past if each.since > observed.upto]
    found = list(islice(handovers(observed, known, now), most))
    observed = replay(observed, found)
    if len(found) < most:
        observed = replace(observed, upto=now)
    return observed, found


minutes = st.integers(1, 60 * 24 * 40)


@st.composite
def roster_versions(draw: st.DrawFn) -> list[RosterVersion]:
    start = draw(instants(draw(st.sampled_from(ZONES))))
    later = draw(st.lists(minutes, max_size=2, unique=True))
    return [
        RosterVersion(start + passed * MINUTE, number, draw(st.none() | rosters()))
        for number, passed in enumerate([0, *sorted(later)], 1)
    ]


@given(
    roster_versions(),
    st.lists(minutes, min_size=1, max_size=4),
    st.integers(1, 3),
    minutes,
)
def test_every_instant_is_covered_once_however_often_one_looks(
    versions: list[RosterVersion], looks: list[int], most: int, passed: int
) -> None:
    start = versions[0].since
    observed, events = Observed("night", start), []
    for look in sorted(looks):
        found: list[OnCallHandedOver] = []
        while found or observed.upto < start + look * MINUTE:  # dies after `most`
            observed, found = recorded(observed, versions, start + look * MINUTE, most)
            events += found
    end = start + max(looks) * MINUTE
    at_once, all_events = recorded(Observed("night", start), versions, end, 10_000)

    assert observed == at_once
    assert [e.model_copy(update={"at": end}) for e in events] == all_events
    instant = min(start + passed * MINUTE, end)
    roster = in_force(versions, instant)
    for role in get_args(Role):
        past = [e for e in events if e.role == role and e.at_instant <= instant]
        expected = on_call(roster, instant, role) if roster else ()
        assert (past[-1].incoming if past else ()) == expected
        for before, after in pairwise(past):
            assert before.at_instant < after.at_instant
            assert before.incoming == after.outgoing != after.incoming
