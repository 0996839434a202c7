"""One desk a folder, whatever a killed one left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from standalone.folder import holder, lock_file, only_one
from standalone.startup_error import Exit, StartupError
from standalone.supervisor import end_leftovers, leftovers, register, register_file

SLEEPS = "print('up', flush=True); import signal; signal.pause()"


def test_a_second_desk_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with (
        only_one(tmp_path),
        pytest.raises(StartupError, match=str(os.getpid())) as told,
        only_one(tmp_path),
    ):
        pass

    assert told.value.code == Exit.ALREADY_RUNNING


def test_the_holder_is_known_while_it_holds(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with only_one(tmp_path):
        assert holder(tmp_path) == os.getpid()
    assert lock_file(tmp_path).exists()
    assert holder(tmp_path) is None


def test_the_lock_goes_with_a_process_killed_with_9(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from standalone.folder import only_one\n"
        f"with only_one(Path(sys.argv[1])): {SLEEPS}"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"up\n"
        assert holder(tmp_path) == other.pid
        other.kill()

    with only_one(tmp_path):
        assert holder(tmp_path) == os.getpid()


def test_what_an_earlier_desk_left_running_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("standalone.supervisor._PATIENCE_SECONDS", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPS], stdout=subprocess.PIPE, start_new_session=True
    ) as left:
        register(tmp_path, {"intake": left.pid})
        assert [process.pid for process in leftovers(tmp_path)] == [left.pid]

        assert end_leftovers(tmp_path) == 1

        assert left.poll() is not None
    assert not register_file(tmp_path).exists()


def test_a_process_that_got_the_number_of_one_of_ours_is_left_alone(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPS], stdout=subprocess.PIPE, start_new_session=True
    ) as stranger:
        register_file(tmp_path).write_text(f'{{"intake": [{stranger.pid}, 1000.0]}}')

        assert end_leftovers(tmp_path) == 0

        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": 1}', '{"a": ["x", "y"]}', "null"]
)
def test_a_register_in_pieces_is_no_obstacle(tmp_path: Path, text: str) -> None:
    register_file(tmp_path).write_text(text)

    assert end_leftovers(tmp_path) == 0
