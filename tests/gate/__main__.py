"""Run tests, and look once more at what may have failed by chance.

The arguments are those of pytest, as is the exit status. If every failure of the run
may be the fault of a busy machine (`chance.py`), the files in question run once more,
alone, on fresh servers and with the same seed. If they pass, so does the run, and its
last lines say `UNSTEADY`: each is a defect of a test or of the desk, which
`make steady` helps to find.
"""

import subprocess
import sys
from collections.abc import Sequence

from tests.gate.chance import Failure, by_chance
from tests.gate.failures import OPTION, read
from tests.support.folders import reachable_folder

_PYTEST = (
    *(sys.executable, "-m", "pytest"),
    *("-p", "tests.gate.failures", "-p", "tests.gate.durations"),
)
_FAILED = 1
"""The exit status of pytest if tests failed; others say that it could not run them."""


def main(arguments: Sequence[str]) -> int:
    """Run the tests and return the exit status."""
    with reachable_folder(on_disk=True) as folder:
        file = folder / "failures.jsonl"
        status = _run(f"{OPTION}={file}", *arguments)
        failures = read(file) if file.exists() else ()
    if status != _FAILED or not by_chance(failures):
        return status
    return _again(failures)


def _again(failures: Sequence[Failure]) -> int:
    files = sorted({failure.file for failure in failures})
    _say(f"Once more, alone: {' '.join(files)}")
    for file in files:
        if status := _run("-q", "-n0", file):
            return status
    for failure in failures:
        _say(f"UNSTEADY {failure.test} : {failure.line}")
    return 0


def _run(*arguments: str) -> int:
    return subprocess.run([*_PYTEST, *arguments], check=False).returncode


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
