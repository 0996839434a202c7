"""Works out the shifts of an iCalendar file: from standard input to standard output.

Runs as a process of its own with little memory and time: some rules of recurrence are
searched until the year 9999 without an occurrence, and no list of them is complete.
"""

import json
import resource
import sys
from datetime import datetime

from services.projections.shift_files.rules import ExitCode, Mistake, shifts_in

MEMORY_BYTES_MAX = 512 * 1024 * 1024
CPU_SECONDS_MAX = 10


def main() -> int:
    """Work out the file on standard input, and write its shifts, or what is wrong."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    # SIGXCPU says why it ended: with equal limits Linux sends SIGKILL.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    given = json.load(sys.stdin)
    start, end = (datetime.fromisoformat(given[name]) for name in ("start", "end"))
    try:
        found = shifts_in(given["text"], given["zone"], start, end)
    except Mistake as mistake:
        json.dump({"sentence": str(mistake), "line": mistake.line}, sys.stdout)
        return ExitCode.MISTAKE
    shifts = [(s.start.isoformat(), s.end.isoformat(), s.names, s.line) for s in found]
    json.dump(shifts, sys.stdout)
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
