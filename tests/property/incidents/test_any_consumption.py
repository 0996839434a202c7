"""However an incident went, who consumed its promises adds up to what was consumed."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.projections.history.shares import waits
from shared.domain.policy.targets import PauseReason
from shared.domain.sla import LevelEntry, Wait, consumed, spent
from shared.domain.working_time import hours_of
from tests.support.builders.promises import VALMONT, local
from tests.support.examples import examples
from tests.support.strategies.agreements import SCRIPTS, Lived, Step

START = local("09:10")
instants = st.integers(-60, 10_000).map(lambda n: START + timedelta(minutes=n))
turns = st.lists(
    st.builds(LevelEntry, st.sampled_from(["n1", "n2", "n3"]), instants), max_size=5
).map(lambda found: sorted(found, key=lambda turn: turn.since))
REASONS: list[PauseReason] = ["user", "vendor", "change", "problem"]
reasons = st.sampled_from(REASONS)


@st.composite
def any_waits(draw: st.DrawFn) -> list[Wait]:
    cuts = sorted(draw(st.lists(instants, max_size=8)))
    ends = [Wait(draw(reasons), *pair) for pair in pairwise(cuts)]
    return ends[::2]


@examples(150)
@given(SCRIPTS, turns, st.none() | any_waits(), instants)
def test_levels_and_parties_add_up(
    script: list[Step], held: list[LevelEntry], waited: list[Wait] | None, at: datetime
) -> None:
    life = Lived(VALMONT).plays(script)
    case = life.desk.case
    assert case is not None
    for clock in case.clocks:
        hours = hours_of(VALMONT.calendars[clock.calendar])
        now = max(at, clock.started_at)
        its_waits = waits(life.log) if waited is None else waited

        of = consumed(clock, hours, now, held, its_waits)

        assert of.seconds == spent(clock, hours, now)
        assert sum(of.levels.values()) == of.seconds
        assert sum(share.counted for share in of.shares) == of.seconds
        assert sum(share.passed for share in of.shares) == of.passed
        assert all(0 <= share.counted <= share.passed for share in of.shares)
        assert all(seconds >= 0 for seconds in of.levels.values())
