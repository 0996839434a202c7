"""Runs a program of ours in a process of its own: a few at a time, each with a limit.

What a decoder or a rule makes of a file that was made to break it ends with the
process, and takes nothing with it.
"""

import asyncio
import sys
from contextlib import suppress
from typing import NamedTuple

from shared.http.problem_details import HttpError

AT_ONCE_MAX = 2
WAITING_MAX = 16
"""With those that run."""
RETRY_SECONDS = 2


class Outcome(NamedTuple):
    """How a process ended; `code` is None if it was ended for taking too long."""

    code: int | None
    written: bytes


class LimitedProcesses:
    """Runs one program on several inputs, a few at once; belongs to one event loop."""

    def __init__(self, module: str, seconds: float) -> None:
        self._module = module
        self._seconds = seconds
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._waiting = 0

    async def outcome(self, given: bytes) -> Outcome:
        """Return what the program makes of its input. Raises `HttpError` 503."""
        if self._waiting >= WAITING_MAX:
            raise HttpError(
                503,
                "too many files at once: come again in a moment",
                code="overloaded",
                retry_after=RETRY_SECONDS,
            )
        self._waiting += 1
        try:
            async with self._places:
                return await self._run(given)
        finally:
            self._waiting -= 1

    async def _run(self, given: bytes) -> Outcome:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", self._module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(self._seconds):
                written, _ = await process.communicate(given)
        except TimeoutError:
            return Outcome(None, b"")
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return Outcome(process.returncode, written)
