"""Results do not depend on the order of the log, and give no small group away."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events.survey import SurveyAnswered, SurveyInvited
from shared.domain.events.survey.results import SurveyResults
from shared.domain.policy.surveys import Dimension
from shared.domain.survey.disclosure import withheld
from shared.domain.survey.results import InvitationRecord, results

START = datetime(2025, 6, 1, tzinfo=UTC)
END = START + timedelta(days=30)
LEAST = 5
_INSTANTS = st.integers(-10, 40).map(lambda days: START + timedelta(days=days))


@st.composite
def _asked(draw: st.DrawFn) -> list[InvitationRecord]:
    found = []
    for number in range(draw(st.integers(0, 30))):
        at = draw(_INSTANTS)
        later = draw(st.none() | st.integers(0, 12))
        about = {"survey": "after", "version": draw(st.sampled_from(["v1", "v2"]))}
        about |= {"incident": f"INC-{number:06d}", "person": "lefevre"}
        invited = SurveyInvited.model_validate(
            {
                **about,
                "at": at,
                "by": "system:intake",
                "policy": 1,
                "expires_at": at + timedelta(days=20),
                "service": draw(st.sampled_from(["mail", "payroll", "web"])),
                "team": draw(st.sampled_from(["desk", "net"])),
                "channel": draw(st.sampled_from(["phone", "email", None])),
            }
        )
        if later is None:
            found.append(InvitationRecord(invited, at))
            continue
        then, choice = at + timedelta(days=later), draw(st.integers(1, 5))
        answer = {"at": then, "by": "person:lefevre", "choices": {"ok": choice}}
        answered = SurveyAnswered.model_validate({**about, **answer})
        found.append(InvitationRecord(invited, at, answered, then))
    return found


def _of(asked: Sequence[InvitationRecord]) -> SurveyResults:
    return results(asked, (START, END), LEAST)


@given(_asked(), st.randoms())
def test_the_order_in_which_events_are_read_changes_nothing(
    asked: list[InvitationRecord], random: Random
) -> None:
    shuffled = [*asked]
    random.shuffle(shuffled)

    assert _of(shuffled) == _of(asked)


@given(_asked())
def test_each_dimension_divides_the_whole(asked: list[InvitationRecord]) -> None:
    found = _of(asked)

    for by in get_args(Dimension):
        parts = [group for group in found.groups if group.by == by]
        assert sum(group.n for group in parts) == found.n
        assert sum(group.invited for group in parts) == found.invited
    assert found.responded <= found.invited


@given(_asked())
def test_no_difference_of_figures_is_about_fewer_people_than_a_figure_may_be(
    asked: list[InvitationRecord],
) -> None:
    found = _of(asked)

    if found.satisfied is None:
        assert 0 < found.n < LEAST
    for by in get_args(Dimension):
        parts = [group for group in found.groups if group.by == by]
        hidden = [group.n for group in parts if group.satisfied is None]
        assert not 0 < sum(hidden) < LEAST or found.n < LEAST
        assert all(
            group.n >= LEAST or not group.n
            for group in parts
            if group.satisfied is not None
        )


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 20)), st.integers(1, 8))
def test_what_is_withheld_cannot_be_computed_from_the_total(
    sizes: dict[str, int], least: int
) -> None:
    hidden = withheld(sizes, least)

    together = sum(sizes[key] for key in hidden)
    assert not 0 < together < least or sum(sizes.values()) == together
    assert all(key in hidden for key, n in sizes.items() if 0 < n < least)
