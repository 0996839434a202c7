"""Doctor and down at a folder that belongs to somebody else: sentences."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from standalone.doctor import examine
from standalone.folder import only_one
from standalone.settings import UpSettings
from standalone.startup_error import Exit, StartupError
from standalone.up import down
from tests.support.folders import reachable_folder

CLOSED = 0o000
ONLY_PASSED_THROUGH = 0o111


@contextmanager
def somebody_elses(mode: int) -> Iterator[Path]:
    """Give the folder of a running desk, with us not being root for a while."""
    me = os.geteuid()
    with reachable_folder() as folder, only_one(folder):
        folder.chmod(mode)
        if me == 0:
            os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            yield folder
        finally:
            os.seteuid(me)
            folder.chmod(0o700)


def test_down_says_whose_turn_it_is() -> None:
    with (
        somebody_elses(CLOSED) as home,
        pytest.raises(
            StartupError, match="call this as the user it belongs to"
        ) as told,
    ):
        down(home)

    assert told.value.code == Exit.FOLDER


@pytest.mark.parametrize("below", ["", "deep/inside"])
def test_doctor_says_that_it_may_not_look(below: str) -> None:
    with somebody_elses(CLOSED) as home:
        found = {one.name: one for one in examine(UpSettings(home=home / below), ())}

    assert not found["folder"].ok
    assert not found["desk"].ok
    assert "closed to you" in found["desk"].advice


def test_doctor_knows_a_desk_whose_keys_it_may_not_read() -> None:
    with somebody_elses(ONLY_PASSED_THROUGH) as home:
        found = {one.name: one for one in examine(UpSettings(home=home), ())}

    assert found["desk"].sentence == f"runs as process {os.getpid()}, of another user"
