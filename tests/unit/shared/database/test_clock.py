"""Time moves for all processes of a desk at once, or not at all."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.clock import LeverClock, clock_from, real_clock, set_lever

NOON = datetime(2026, 3, 29, 12, 0, 0, 123457, tzinfo=UTC)


def test_a_stopped_clock_shows_what_it_was_set_to(tmp_path: Path) -> None:
    set_lever(tmp_path / "lever", NOON)

    assert LeverClock(tmp_path / "lever")() == NOON


def test_moving_the_lever_moves_every_clock_on_it(tmp_path: Path) -> None:
    lever = tmp_path / "lever"
    set_lever(lever, NOON)
    clocks = [LeverClock(lever), LeverClock(lever)]

    set_lever(lever, NOON + timedelta(hours=8))

    assert {now() for now in clocks} == {NOON + timedelta(hours=8)}


def test_a_fast_clock_gains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = iter([1_000.0, 1_002.0])
    monkeypatch.setattr("shared.clock.time.time", lambda: next(real))
    set_lever(tmp_path / "lever", NOON, speed=60)

    assert LeverClock(tmp_path / "lever")() == NOON + timedelta(minutes=2)


def test_a_reader_never_sees_half_a_lever(tmp_path: Path) -> None:
    lever = tmp_path / "lever"
    set_lever(lever, NOON)
    held = lever.open(encoding="utf-8")

    set_lever(lever, NOON + timedelta(hours=1))

    with held:
        assert str(NOON.timestamp()) in held.read()


def test_without_a_lever_the_clock_is_the_real_one(tmp_path: Path) -> None:
    assert clock_from(None) is real_clock
    set_lever(tmp_path / "lever", NOON)
    assert clock_from(tmp_path / "lever")() == NOON


def test_every_clock_is_aware_and_in_utc(tmp_path: Path) -> None:
    set_lever(tmp_path / "lever", NOON)

    assert real_clock().tzinfo is UTC
    assert LeverClock(tmp_path / "lever")().utcoffset() == timedelta(0)
