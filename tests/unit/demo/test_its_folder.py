"""The demo rebuilds its folder each time, and deletes nobody else's."""

from pathlib import Path

import pytest

from demo.desk import fresh_home
from standalone.startup_error import StartupError


def test_the_day_before_is_gone(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    with fresh_home(home, None):
        (home / "postgres").mkdir()
        (home / "postgres" / "yesterday").touch()

    with fresh_home(home, None):
        assert not (home / "postgres").exists()


def test_a_desk_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / ".permanence"
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "history").touch()

    with pytest.raises(StartupError, match="not a demo"), fresh_home(home, None):
        pass

    assert (home / "postgres" / "history").exists()


def test_the_folder_of_a_desk_may_hold_the_demos(tmp_path: Path) -> None:
    desk = tmp_path / ".permanence"
    (desk / "postgres").mkdir(parents=True)

    with fresh_home(desk / "demo", None):
        pass

    assert (desk / "postgres").exists()
