"""Has the shifts of files worked out, each in a process of its own with limits."""

import json
import signal
from datetime import datetime

import structlog

from services.projections.limited_process import LimitedProcesses
from services.projections.shift_files.rules import ExitCode, FileShift
from shared.http.problem_details import HttpError

PROGRAM = "services.projections.shift_files"
SECONDS_MAX = 15.0
"""How long a file may take, with the start of its process."""


TOO_LONG = "it takes too long to work out: leave events that recur out"
CRASHED = (
    "the program that reads it failed: import a part of it, and tell an administrator"
)
_OUT_OF_TIME = frozenset({None, -signal.SIGXCPU})
"""How a process ends that used up its time: on the clock, or of the CPU."""
_log = structlog.get_logger(__name__)


class ShiftFileWorker:
    """Works files out; belongs to one event loop."""

    def __init__(self, program: str = PROGRAM) -> None:
        self._processes = LimitedProcesses(program, SECONDS_MAX)

    async def shifts(
        self, text: str, zone: str, start: datetime, end: datetime
    ) -> list[FileShift]:
        """Return the shifts of a file in [start, end). `HttpError` 422 or 503."""
        given = {
            "text": text,
            "zone": zone,
            "start": start.isoformat(),
            "end": end.isoformat(),
        }
        code, written = await self._processes.outcome(json.dumps(given).encode())
        match code:
            case ExitCode.DONE:
                return [
                    FileShift(
                        datetime.fromisoformat(begins),
                        datetime.fromisoformat(ends),
                        tuple(names),
                        line,
                    )
                    for begins, ends, names, line in json.loads(written)
                ]
            case ExitCode.MISTAKE:
                mistake = json.loads(written)
                raise _unusable(mistake["sentence"], mistake["line"])
            case _ if code in _OUT_OF_TIME:
                raise _unusable(TOO_LONG)
            case _:  # a fault of the process, or its memory was used up
                _log.error("shift_file.crashed", code=code)
                raise _unusable(CRASHED)


def _unusable(sentence: str, line: int = 0) -> HttpError:
    where = f"line {line}: " if line else ""
    errors = [{"loc": ["file", line], "msg": sentence, "type": "icalendar"}]
    return HttpError(
        422,
        f"the file cannot be used: {where}{sentence}",
        code="unusable_file",
        errors=errors,
    )
