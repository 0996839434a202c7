"""What breaches of a service may add up to before the service is handed over."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.escalation.rules.budget import Broken, cause_of, overrun_of, used_up
from shared.domain.policy.escalation import BreachBudget
from tests.support.builders.promises import local

AT = local("16:10")
THREE = BreachBudget(breaches=3, within_days=30)
TWO_HOURS = BreachBudget.model_validate({"overrun": "2h", "within_days": 30})
DAY = timedelta(days=1)


def broken(days: int, incident: int, minutes: int | None = None) -> Broken:
    late = None if minutes is None else minutes * 60
    return Broken(AT - days * DAY, f"INC-{incident:06d}", late)


def test_the_third_breach_in_the_window_uses_three_up() -> None:
    held = [broken(18, 6), broken(0, 16)]

    assert used_up(held, AT, THREE) is None
    assert used_up([broken(25, 3), *held], AT, THREE) == [broken(25, 3), *held]


def test_a_breach_as_old_as_the_window_is_out_of_it() -> None:
    held = [broken(18, 6), broken(0, 16)]

    assert used_up([broken(30, 3), *held], AT, THREE) is None


def test_working_time_too_late_uses_up_what_is_given_of_it() -> None:
    held = [broken(3, 3, 60), broken(1, 6, 60), broken(0, 16)]

    assert used_up(held, AT, TWO_HOURS) is None
    held[2] = broken(0, 16, 1)
    assert used_up(held, AT, TWO_HOURS) == held
    assert overrun_of(held) == 121 * 60


def test_of_two_budgets_the_first_that_is_used_up_says_why() -> None:
    both = BreachBudget.model_validate(
        {"breaches": 3, "overrun": "2h", "within_days": 30}
    )

    assert cause_of([broken(0, 1, 500)], both) == "overrun"
    assert cause_of([broken(n, n, 1) for n in (1, 2, 3)], both) == "breaches"
    assert cause_of([broken(1, 1), broken(0, 2)], both) is None


def test_a_service_that_was_down_too_long_uses_it_up_without_any_breach() -> None:
    hour = timedelta(hours=1)
    budget = BreachBudget.model_validate({"downtime": "1h", "within_days": 30})

    assert used_up([], AT, budget, hour) is None
    assert used_up([], AT, budget, hour + timedelta(seconds=1)) == []
    assert cause_of([], budget, 2 * hour) == "downtime"


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="say how many `breaches`"):
        BreachBudget.model_validate({"within_days": 30})


@given(
    st.lists(st.integers(0, 60), unique=True, max_size=12),
    st.integers(1, 5),
    st.integers(1, 60),
)
def test_what_uses_it_up_lies_in_the_window_and_is_enough(
    days: list[int], breaches: int, within: int
) -> None:
    budget = BreachBudget(breaches=breaches, within_days=within)
    held = [broken(day, day + 1) for day in days]

    counted = used_up(held, AT, budget)

    inside = [each for each in held if AT - each.breached_at < within * DAY]
    assert counted == (sorted(inside) if len(inside) >= breaches else None)
