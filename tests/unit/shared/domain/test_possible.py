"""One event that cannot have happened concerns what follows it, and nothing before."""

from collections.abc import Sequence

import pytest

from shared.domain.possible import while_possible


def total(numbers: Sequence[int]) -> int:
    """Stand for a fold: a zero cannot have happened."""
    return sum(number // number * number for number in numbers)


@pytest.mark.parametrize(
    ("history", "before"),
    [
        ([], []),
        ([1, 2, 3], [1, 2, 3]),
        ([0], []),
        ([0, 1, 2], []),
        ([1, 0, 2, 3, 4], [1]),
        ([1, 2, 3, 4, 0, 5, 0], [1, 2, 3, 4]),
        ([1, 2, 3, 0], [1, 2, 3]),
    ],
)
def test_what_was_before_is_what_it_was(history: list[int], before: list[int]) -> None:
    assert while_possible(total, iter(history)) == total(before)
