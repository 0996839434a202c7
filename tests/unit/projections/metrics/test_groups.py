"""The groups of a period are all of which anything is told."""

import pytest

from services.projections.metrics.calculation import groups
from services.projections.metrics.queries import ConsumedTime, Durations, PeriodCounts

EMPTY = PeriodCounts((), (), (), (), (), (), ())
MEASURED = Durations(0, "web", 1, (60,), (60,), (), ())
DWELT = ConsumedTime(0, "web", "n1", 1, (60,), 60)


@pytest.mark.parametrize(
    "found",
    [
        EMPTY._replace(acknowledged=(MEASURED,)),
        EMPTY._replace(restored=(MEASURED,)),
        EMPTY._replace(resolved=(MEASURED,)),
        EMPTY._replace(dwelt=(DWELT,)),
    ],
)
def test_a_group_of_which_only_a_time_is_known_is_told_too(found: PeriodCounts) -> None:
    assert groups(found) == ["web"]
