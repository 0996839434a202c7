"""Run a test many times beside a program that keeps each core busy, and count.

`make steady TEST=tests/…::… N=50`: the output of each failure is shown.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_FAILED = 1
"""The exit status of pytest if tests failed; others say that it could not run them."""
_BUSY = (sys.executable, "-c", "while True: pass")


def main(arguments: Sequence[str]) -> int:
    """Return 0 if the test passed each time, 1 if not, or why it cannot be run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("test", help="a file or id, as pytest takes it")
    parser.add_argument("--times", type=int, default=50)
    given = parser.parse_args(arguments)
    failed = 0
    with busy_cores():
        for number in range(1, given.times + 1):
            status = _status(given.test)
            if status not in (0, _FAILED):
                return status
            failed += status
            sys.stdout.write(f"{given.test}: failed {failed} of {number}\n")
            sys.stdout.flush()
    return int(failed > 0)


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy meanwhile."""
    spinning = [subprocess.Popen(_BUSY) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


def _status(test: str) -> int:
    """Run it once and return the exit status; show what it printed unless it passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", test]
    both = subprocess.STDOUT
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=both, check=False)
    if done.returncode:
        sys.stdout.write(done.stdout.decode("utf-8", "replace"))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
