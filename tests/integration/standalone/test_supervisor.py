"""Processes kept running, whatever happens to them or to their supervisor."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from signal import SIGKILL, SIGSTOP, SIGTERM

import psutil
import pytest

from standalone import launch
from standalone.supervisor import Process, Supervisor
from tests.support.patience import SECONDS, eventually

FOR_EVER = "print('up', flush=True); import signal; signal.pause()"
POLITE = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0));"
    "print('up', flush=True); signal.pause()"
)
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True);"
    "[signal.pause() for _ in iter(int, 1)]"
)
WITH_A_WORKER = (
    "import subprocess, sys, signal;"
    "sleep = [sys.executable, '-c', 'import signal; signal.pause()'];"
    "worker = subprocess.Popen(sleep);"
    "print(worker.pid, flush=True); signal.pause()"
)


def python(name: str, program: str, patience: float = SECONDS) -> Process:
    """Describe a process that runs a Python program."""
    return Process(name, (sys.executable, "-c", program), os.environ, patience=patience)


class Desk:
    """A supervisor and all that it said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.known: dict[str, int] = {}
        self.supervisor = Supervisor(self._write, self._changed)
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def _write(self, name: str, line: str) -> None:
        self.said.append((name, line))
        self._tell()

    def _changed(self, pids: Mapping[str, int]) -> None:
        self.known = dict(pids)
        self._tell()

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._news:
                self._news.notify_all()

        task = asyncio.create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, holds: Callable[[], object]) -> None:
        """Return once `holds()`."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: bool(holds())), SECONDS)

    def lines(self, name: str) -> list[str]:
        """Return what the process wrote."""
        return [line for who, line in self.said if who == name]


@asynccontextmanager
async def desk(*processes: Process) -> AsyncIterator[Desk]:
    own = Desk()
    for process in processes:
        own.supervisor.add(process)
    try:
        for process in processes:
            await own.until(partial(own.lines, process.name))
        yield own
    finally:
        names = [process.name for process in processes]
        await own.supervisor.stop(names, hurry=asyncio.Event())


@pytest.fixture(autouse=True)
def _hears_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take longer than a second to read what a child wrote last."""
    monkeypatch.setattr("standalone.supervisor._LAST_WORDS", SECONDS)


def test_what_ends_is_started_again_after_a_pause() -> None:
    async def story() -> None:
        async with desk(python("one", FOR_EVER)) as own:
            first = own.known["one"]
            os.kill(first, SIGKILL)
            await own.until(lambda: own.lines("one").count("up") == 2)

            assert own.known["one"] != first
            assert "was ended by SIGKILL; starts again in 0.2 s" in own.lines("one")
            assert own.supervisor.ends("one") == 1

    asyncio.run(story())


def test_what_keeps_failing_is_tried_less_and_less_often() -> None:
    async def story() -> None:
        async with desk(python("one", "import sys; sys.exit(3)")) as own:
            await own.until(lambda: len(own.lines("one")) == 3)

            assert own.lines("one") == [
                f"ended with exit code 3; starts again in {pause} s"
                for pause in ("0.2", "0.4", "0.8")
            ]

    asyncio.run(story())


def test_a_program_that_is_not_there_is_said_and_tried_again() -> None:
    async def story() -> None:
        async with desk(Process("one", ("/no/such/program",), os.environ)) as own:
            await own.until(lambda: own.supervisor.ends("one") >= 2)

            assert own.lines("one")[:2] == [
                "/no/such/program cannot be run: No such file or directory",
                "ended with exit code 1; starts again in 0.2 s",
            ]

    asyncio.run(story())


def test_a_clean_stop_leaves_nothing() -> None:
    async def story() -> None:
        async with desk(python("one", FOR_EVER), python("two", FOR_EVER)) as own:
            pids = set(own.known.values())
        assert own.known == {}
        assert not any(map(psutil.pid_exists, pids))

    asyncio.run(story())


@pytest.mark.parametrize("hurried", [False, True])
def test_who_ignores_the_stop_is_killed(*, hurried: bool) -> None:
    async def story() -> None:
        patience = SECONDS * 10 if hurried else 0.1
        hurry = asyncio.Event()
        if hurried:
            hurry.set()
        async with desk(python("one", STUBBORN, patience)) as own:
            pid = own.known["one"]
            await asyncio.wait_for(own.supervisor.stop(["one"], hurry=hurry), SECONDS)
            assert not psutil.pid_exists(pid)

    asyncio.run(story())


def test_a_frozen_process_is_stopped_too() -> None:
    async def story() -> None:
        async with desk(python("one", POLITE)) as own:
            pid = own.known["one"]
            os.kill(pid, SIGSTOP)
            stop = own.supervisor.stop(["one"], hurry=asyncio.Event())
            await asyncio.wait_for(stop, SECONDS / 2)
            assert not psutil.pid_exists(pid)

    asyncio.run(story())


def test_a_stop_in_the_middle_of_a_pause_does_not_wait_for_its_end() -> None:
    async def story() -> None:
        async with desk(python("one", "import sys; sys.exit(3)")) as own:
            await own.until(lambda: own.supervisor.ends("one") >= 3)
            before = own.supervisor.ends("one")
            await own.supervisor.stop(["one"], hurry=asyncio.Event())
            assert own.supervisor.ends("one") == before

    asyncio.run(story())


def test_the_workers_of_a_killed_process_go_before_it_comes_back() -> None:
    async def story() -> None:
        async with desk(python("one", WITH_A_WORKER)) as own:
            worker = int(own.lines("one")[0])
            os.kill(own.known["one"], SIGKILL)
            await own.until(lambda: len(own.lines("one")) == 3)
            await eventually(lambda: gone(worker))

    asyncio.run(story())


def test_output_without_a_newline_and_beyond_all_limits_is_passed_on() -> None:
    program = "print('x' * 3_000_000 + 'y'); print('last', end='')"

    async def story() -> None:
        async with desk(python("one", program)) as own:
            await own.until(lambda: "last" in own.lines("one"))
            text = "".join(own.lines("one"))
            assert text.startswith("x" * 3_000_000 + "y")

    asyncio.run(story())


SUPERVISED = """
import asyncio, os, sys
from standalone import launch
from standalone.supervisor import Process
from standalone.supervisor import Supervisor

async def main():
    supervisor = Supervisor(lambda name, line: print(line, flush=True), lambda _: None)
    supervisor.add(Process("one", (sys.executable, "-c", sys.argv[1]), os.environ))
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_children_die_with_a_supervisor_killed_with_9() -> None:
    program = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, program], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout
        child = psutil.Process(int(supervisor.stdout.readline()))

        supervisor.kill()

        gone_now, _ = psutil.wait_procs([child], timeout=SECONDS)
        assert gone_now == [child]


def test_a_child_born_as_its_supervisor_dies_ends_at_once() -> None:
    launcher = str(Path(launch.__file__))
    not_our_parent, nobody_else = "1", ("-1", "-1")
    tie = [launcher, not_our_parent, str(int(SIGTERM)), *nobody_else]

    ended = subprocess.run(
        [sys.executable, "-I", *tie, sys.executable, "-c", "print('lives')"],
        capture_output=True,
        check=False,
        timeout=SECONDS,
    )

    assert (ended.returncode, ended.stdout) == (1, b"")


def gone(pid: int) -> bool:
    """Tell whether the process has ended, even if nobody has buried it yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
