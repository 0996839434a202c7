"""How long an incident may stay at a level: a time, a share, or one of each."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.policy.durations import Stays

STAYS: TypeAdapter[tuple[timedelta | int, ...]] = TypeAdapter(Stays)
TWENTY = timedelta(minutes=20)


@pytest.mark.parametrize(
    ("written", "read"),
    [("20m", (TWENTY,)), ("25%", (25,)), (["20m", "25%"], (TWENTY, 25))],
)
def test_it_is_read_and_written_as_it_was(
    written: object, read: tuple[timedelta | int, ...]
) -> None:
    assert STAYS.validate_python(written) == read
    assert STAYS.dump_python(read) == written


@pytest.mark.parametrize("written", [[], ["20m"], ["20m", "30m"], ["5%", "6%", "7m"]])
def test_a_list_has_one_of_each(written: object) -> None:
    with pytest.raises(ValidationError, match="a share of TTR, or one of each"):
        STAYS.validate_python(written)
