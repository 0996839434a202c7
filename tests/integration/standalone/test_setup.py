"""`make setup` on machines that lack something: a sentence, never a traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compose import ROOT

REAL = sys.executable


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a checkout with nothing installed and a folder for programs, bin."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def program(checkout: Path, name: str, text: str) -> None:
    """Put a program in the way of the real one."""
    file = checkout / "bin" / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def setup(checkout: Path, python: str = "python3") -> subprocess.CompletedProcess[str]:
    """Run the script with our programs first; without `python` it chooses."""
    return subprocess.run(
        [checkout / "scripts" / "setup.sh"],
        env={"PATH": f"{checkout / 'bin'}:/usr/bin:/bin", "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_is_too_old_is_named(checkout: Path) -> None:
    too_old = '[ "$1" = --version ] && echo "Python 3.9.2" && exit 0; exit 1'
    program(checkout, "python3", too_old)

    said = setup(checkout)

    assert said.returncode == 7
    assert "Permanence needs Python 3.11 or later, and python3 is Python 3.9.2" in (
        said.stderr
    )
    assert "make setup PYTHON=" in said.stderr


def test_a_python_without_ensurepip_is_named_with_the_package_to_install(
    checkout: Path,
) -> None:
    bare = f'case "$*" in *ensurepip*) exit 1;; esac; exec {REAL} "$@"'
    program(checkout, "python3", bare)

    said = setup(checkout)

    assert said.returncode == 7
    assert "cannot make virtual environments" in said.stderr
    assert "apt install python3-venv" in said.stderr
    assert not (checkout / ".venv").exists()


def test_the_newest_python_that_can_make_an_environment_is_chosen(
    checkout: Path,
) -> None:
    bare = f'case "$*" in *ensurepip*) exit 1;; esac; exec {REAL} "$@"'
    for name, text in (
        ("python3.13", bare),
        ("python3.12", '[ "$1" = --version ] && echo "the newest"; [ "$2" != venv ]'),
        ("python3.11", f'exec {REAL} "$@"'),
        ("python3", f'exec {REAL} "$@"'),
    ):
        program(checkout, name, text)

    said = setup(checkout, python="")

    assert said.stdout == "Making .venv with the newest ...\n"


def test_a_pip_that_reaches_nothing_is_said(checkout: Path) -> None:
    made = (
        'mkdir -p "$3/bin" && printf "#!/bin/sh\\n'
        f'case \\"\\$*\\" in *install*) exit 1;; esac; exec {REAL} \\"\\$@\\"\\n" '
        '>"$3/bin/python" && chmod +x "$3/bin/python"'
    )
    offline = f'if [ "$2" = venv ]; then {made}; else exec {REAL} "$@"; fi'
    program(checkout, "python3", offline)

    said = setup(checkout)

    assert said.returncode == 7
    assert "pip could not fetch uv" in said.stderr


def test_nothing_is_done_where_nothing_changed(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(REAL)
    (checkout / ".venv" / ".ready").write_text(f"{checkout}\n")
    program(checkout, "python3", f'exec {REAL} "$@"')

    said = setup(checkout)

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_another_python_than_that_of_the_environment_is_not_ignored(
    checkout: Path,
) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(REAL)
    (checkout / ".venv" / ".ready").write_text(f"{checkout}\n")
    program(checkout, "python3", "exit 127")

    said = setup(checkout)

    assert said.returncode == 7
    assert "and python3 is nothing that runs here. Install one" in said.stderr
    assert python.exists(), "what was there is kept"
