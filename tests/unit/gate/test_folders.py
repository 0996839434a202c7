"""What a killed run leaves is removed at the next start; what is in use is not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compose import ROOT
from tests.support.folders import PREFIX, reachable_folder, sweep

_KILLED = """
import os, signal
from tests.support.folders import reachable_folder
with reachable_folder(on_disk=True) as folder:
    (folder / "data").mkdir()
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_of_a_killed_run_is_swept(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED],
        cwd=ROOT,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    left = Path(killed.stdout.strip())
    assert left.parent == tmp_path
    assert (left / "data").is_dir()

    sweep([tmp_path])
    assert left.is_dir(), "it is young: its owner may not have locked it yet"

    sweep([tmp_path], young=0)
    assert not left.exists()


def test_a_folder_in_use_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with reachable_folder(on_disk=True) as folder:
        assert folder.parent == tmp_path

        sweep([tmp_path], young=0)

        assert folder.is_dir()
    assert not folder.exists()


def test_what_is_not_ours_stays_and_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    (tmp_path / f"{PREFIX}file").touch()

    sweep([tmp_path, tmp_path / "nowhere"], young=0)

    assert elsewhere.is_dir()
    assert (tmp_path / f"{PREFIX}file").is_file()
    shutil.rmtree(elsewhere)
