"""Instants as monitoring systems write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.signals.formats.elements.fields import instant

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2025, 6, 30, 7, 52, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [
        "2025-06-30T07:52:01Z",
        "2025-06-30T07:52:01.0000000Z",
        "2025-06-30T07:52:01.000000000Z",
        "2025-06-30T09:52:01+0200",
        "2025-06-30T09:52:01+02:00",
        "2025-06-30T09:52:01+02.00",
        "2025-06-30 09:52:01",
        1751269921,
        1751269921.0,
        "1751269921",
        1751269921000,
        "1751269921000",
        1751269921000000000,
    ],
)
def test_one_instant_is_written_in_many_ways(said: object) -> None:
    assert instant(said, PARIS) == AT


@pytest.mark.parametrize(
    "said",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00",
        0,
        "0",
        -1,
        True,
        None,
        "",
        "yesterday",
        "*alertDateTime*",
        {},
        10**30,
        float("nan"),
        "2025-13-01T00:00:00Z",
    ],
)
def test_what_names_no_instant_is_none(said: object) -> None:
    assert instant(said, PARIS) is None


def test_more_digits_than_microseconds_are_cut() -> None:
    read = instant("2025-06-30T07:52:01.123456789Z")

    assert read == AT + timedelta(microseconds=123_456)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none()))
def test_whatever_is_said_gives_an_instant_of_utc_or_none(said: object) -> None:
    read = instant(said, PARIS)

    assert read is None or read.utcoffset() == timedelta(0)
