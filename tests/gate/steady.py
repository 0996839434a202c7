"""Run a test many times beside a program that keeps each core busy, and count.

`make steady TEST=tests/…::… N=50`: the output of each failure is shown.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_BUSY = (sys.executable, "-c", "while True: pass")


def main(arguments: Sequence[str]) -> int:
    """Return 0 if the test passed each time, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("test", help="a file or id, as pytest takes it")
    parser.add_argument("--times", type=int, default=50)
    given = parser.parse_args(arguments)
    failed = 0
    with busy_cores():
        for number in range(1, given.times + 1):
            failed += not _passes(given.test)
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


def _passes(test: str) -> bool:
    """Run it once; say what it printed if it failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", test]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stdout.write(done.stdout)
    return not done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
