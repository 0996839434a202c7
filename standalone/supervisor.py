"""Keeps processes running: starts, restarts with back-off, stops, leaves no orphan.

Also ends the processes that an earlier desk left behind when its supervisor was killed
with -9. The kernel ends them (see `launch.py`); the supervisor waits for that, and ends
those that remain. A process is ours only if number and start time both match, since
numbers are used again.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM, Signals

import psutil

from standalone.folder import Account, write_private

_LAUNCHER = str(Path(__file__).with_name("launch.py"))


def child_command(
    command: Sequence[str], *, when_we_die: Signals, account: Account | None = None
) -> list[str]:
    """Return `command` wrapped so that it gets `when_we_die` if our thread dies.

    Start it with `start_new_session=True`, from the main thread: the kernel watches the
    thread that started it.
    """
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    tie = (os.getpid(), int(when_we_die), uid, gid)
    return [sys.executable, "-I", _LAUNCHER, *map(str, tie), *command]


@dataclass(frozen=True)
class Process:
    """One program: how it starts, how it stops, the user it runs as."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    account: Account | None = None
    stop: Signals = SIGTERM
    when_we_die: Signals = SIGKILL
    patience: float = 15.0
    """Seconds between `stop` and SIGKILL."""


_PATIENCE_SECONDS = 15
_SAME_START_SECONDS = 2.0


def register_file(home: Path) -> Path:
    """Return the file that remembers the children of the desk in `home`."""
    return home / "pids.json"


def register(home: Path, pids: Mapping[str, int]) -> None:
    """Remember the children that are running now."""
    known = {}
    for name, pid in pids.items():
        with suppress(psutil.NoSuchProcess):  # it just ended
            known[name] = [pid, psutil.Process(pid).create_time()]
    write_private(register_file(home), json.dumps(known))


def leftovers(home: Path) -> list[psutil.Process]:
    """Return the registered processes that are still running."""
    try:
        known = json.loads(register_file(home).read_text(encoding="utf-8"))
        candidates = [(int(pid), float(start)) for pid, start in known.values()]
    except (OSError, ValueError, TypeError, AttributeError):
        return []
    return [
        process
        for pid, start in candidates
        if (process := _same(pid, start)) is not None
    ]


def end_leftovers(home: Path) -> int:
    """Wait for the processes of an earlier desk, end the others; return how many."""
    left = leftovers(home)
    _, stubborn = psutil.wait_procs(left, timeout=_PATIENCE_SECONDS if left else 0)
    for process in stubborn:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)  # each child leads a group of its own
    psutil.wait_procs(stubborn, timeout=_PATIENCE_SECONDS)
    register_file(home).unlink(missing_ok=True)
    return len(left)


def _same(pid: int, start: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        near = abs(process.create_time() - start) < _SAME_START_SECONDS
        alive = process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if near and alive else None


_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0
_STEADY = 30.0
"""Seconds after which a process counts as healthy and its back-off is reset."""
_TRIES = 3
"""First starts that may fail: what is left of a killed server may need a moment."""
_LAST_WORDS = 1.0
"""Seconds to read on after a process has ended: its children may hold the pipe."""

Write = Callable[[str, str], None]
"""Receives the name of a process and one line of its output."""


class Supervisor:
    """Runs processes until told to stop. Use it from the main thread's event loop.

    `write` gets what they say, `report` what becomes of them: the same if None.
    `changed` gets the process ids by name whenever a process starts or ends.
    """

    def __init__(
        self,
        write: Write,
        changed: Callable[[Mapping[str, int]], None],
        report: Write | None = None,
    ) -> None:
        self._write = write
        self._report = report or write
        self._changed = changed
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._processes: dict[str, Process] = {}
        self._stopping: dict[str, asyncio.Event] = {}
        self._ends: dict[str, int] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the running processes."""
        return {name: child.pid for name, child in self._children.items()}

    def ends(self, name: str) -> int:
        """Return how often the process has ended by itself since it was added."""
        return self._ends[name]

    def may_come_up(self, name: str) -> bool:
        """Tell whether waiting makes sense for a process that does not answer yet."""
        return self._ends[name] < _TRIES and not self._stopping[name].is_set()

    def add(self, process: Process) -> None:
        """Start `process` and keep it running until `stop`."""
        self._processes[process.name] = process
        self._stopping[process.name] = asyncio.Event()
        self._ends[process.name] = 0
        self._keepers[process.name] = asyncio.create_task(self._keep(process))

    async def stop(self, names: Iterable[str], *, hurry: asyncio.Event) -> None:
        """Stop these together and wait until they have ended; `hurry` kills them."""
        await asyncio.gather(
            *(self._stop(name, hurry) for name in names if name in self._keepers)
        )

    async def _keep(self, process: Process) -> None:
        stopping = self._stopping[process.name]
        clock = asyncio.get_running_loop().time
        pause = _FIRST_PAUSE
        while not stopping.is_set():
            began = clock()
            reason = await self._run_once(process)
            if stopping.is_set():
                return
            self._ends[process.name] += 1
            pause = _FIRST_PAUSE if clock() - began > _STEADY else pause
            self._report(process.name, f"{reason}; starts again in {pause:.1f} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _run_once(self, process: Process) -> str:
        try:
            child, output = await _spawn(process)
        except OSError as reason:  # no process, no memory: temporary
            return f"could not be started ({reason.strerror})"
        relay = asyncio.create_task(self._relay(process.name, output))
        self._children[process.name] = child
        self._changed(self.pids)
        if self._stopping[process.name].is_set():  # stopped while it was starting
            signal_group(child.pid, process.stop)
        code = await child.wait()
        signal_group(child.pid, SIGKILL)  # workers must not outlive their parent
        await asyncio.wait({relay}, timeout=_LAST_WORDS)
        relay.cancel()
        del self._children[process.name]
        self._changed(self.pids)
        return _ended(code)

    async def _relay(self, name: str, output: asyncio.StreamReader) -> None:
        async for line in lines(output):
            self._write(name, line)

    async def _stop(self, name: str, hurry: asyncio.Event) -> None:
        process, keeper = self._processes[name], self._keepers[name]
        self._stopping[name].set()
        if child := self._children.get(name):
            signal_group(child.pid, process.stop)
            signal_group(child.pid, SIGCONT)  # a frozen one receives it too
        hurrying = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {keeper, hurrying},
            timeout=process.patience,
            return_when=asyncio.FIRST_COMPLETED,
        )
        hurrying.cancel()
        if child := self._children.get(name):
            signal_group(child.pid, SIGKILL)
        await keeper
        del self._keepers[name]


async def _spawn(
    process: Process,
) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
    """Start the child and return it with its output.

    The pipe is ours, not the transport's: `wait()` must return when the child ends, not
    when the last of its own children closes the pipe.
    """
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb")
    )
    try:
        child = await asyncio.create_subprocess_exec(
            *child_command(
                process.command,
                when_we_die=process.when_we_die,
                account=process.account,
            ),
            env=process.environment,
            stdin=DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,  # we pass Ctrl-C on, once and in order
        )
    finally:
        os.close(write_end)
    return child, reader


def signal_group(leader: int, signal: Signals) -> None:
    """Send `signal` to a child and all its processes; ignores ended ones."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal)


def _ended(code: int) -> str:
    if code < 0:
        return f"was ended by {Signals(-code).name}"
    return f"ended with exit code {code}"


_CHUNK = 1 << 16
_LONGEST = 1 << 20


async def lines(output: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield each line without its end; a line over 1 MiB is split."""
    held = b""
    while chunk := await output.read(_CHUNK):
        *complete, held = (held + chunk).split(b"\n")
        for line in complete:
            yield line.decode("utf-8", "replace")
        if len(held) > _LONGEST:
            yield held.decode("utf-8", "replace")
            held = b""
    if held:
        yield held.decode("utf-8", "replace")
