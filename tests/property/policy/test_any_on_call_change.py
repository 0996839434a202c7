"""Whatever people do to a schedule: history stays, and nobody leaves it to nobody."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.on_call import gaps, on_call
from shared.domain.refusal import Refused
from tests.support.builders.on_call.changes import DAY, HOUR, NOW, Changes

PEOPLE = ("amina", "bruno", "chloe", "sylvie", "nadia")
someone = st.sampled_from(PEOPLE)
days = st.integers(-8, 60).map(lambda quarter: quarter / 4)
ids = st.integers(1, 8).map(lambda number: f"astreinte.{number}")
overrides = st.fixed_dictionaries(
    {"kind": st.sampled_from(["add", "replace", "remove"]), "end": days},
    optional={"add": someone, "remove": someone, "start": days},
)
swaps = st.fixed_dictionaries(
    {"other": someone, "start": days, "end": days},
    optional={"other_start": days, "other_end": days},
)
absences = st.fixed_dictionaries({"person": someone, "end": days})
WITHDRAWALS = {"withdraw_override", "withdraw_swap", "withdraw_absence"}
actions = st.one_of(
    st.tuples(st.just("add_override"), overrides),
    st.tuples(st.just("request_swap"), swaps),
    st.tuples(st.just("accept_swap"), st.fixed_dictionaries({"swap": ids})),
    st.tuples(st.just("withdraw_swap"), st.fixed_dictionaries({"swap": ids})),
    st.tuples(st.just("withdraw_override"), st.fixed_dictionaries({"override": ids})),
    st.tuples(st.just("add_absence"), absences),
)
histories = st.lists(
    st.tuples(someone, actions, st.integers(0, 36)), min_size=1, max_size=10
)


def does(desk: Changes, who: str, verb: str, body: dict[str, Any]) -> None:
    try:
        desk.says(who, verb, **body)
    except (Refused, ValueError):  # what is refused changes nothing
        return


def uncovered(desk: Changes) -> timedelta:
    found = gaps(desk.roster, NOW - 3 * DAY, NOW + 40 * DAY)
    return sum((end - start for start, end in found), timedelta())


def past(desk: Changes) -> Sequence[tuple[str, ...]]:
    """Return who was on call every three hours until now."""
    held, steps = desk.roster, int((desk.now - NOW) / HOUR) // 3 + 16
    return [on_call(held, desk.now - n * 3 * HOUR) for n in range(1, steps)]


@given(histories)
def test_only_the_end_of_a_change_leaves_nobody_on_call(
    history: Sequence[tuple[str, tuple[str, dict[str, Any]], int]],
) -> None:
    desk = Changes()
    for who, (verb, body), passed in history:
        desk.now += passed * HOUR
        before = uncovered(desk)
        does(desk, who, verb, body)
        assert uncovered(desk) <= before or verb in WITHDRAWALS


@given(histories)
def test_who_was_on_call_never_changes(
    history: Sequence[tuple[str, tuple[str, dict[str, Any]], int]],
) -> None:
    desk = Changes()
    for who, (verb, body), passed in history:
        desk.now += passed * HOUR
        before = past(desk)
        does(desk, who, verb, body)
        assert past(desk) == before
