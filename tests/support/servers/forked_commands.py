"""`permanence` for a shell, forked from a process that has imported all commands.

Importing takes a command longer than anything it does, and the how-to pages call about
seventy. What runs in the fork is the script `.venv/bin/permanence`, with the caller's
arguments, folder, environment and standard streams, and the caller gets its exit code.

Run as a module it is that process: it listens on the socket it is given, and ends with
its standard input.
"""

import gc
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from runpy import run_path
from signal import SIG_DFL, SIG_IGN, SIGCHLD, signal
from typing import NoReturn

from cli.app import MODULES
from tests.support.limits import be_patient
from tests.support.patience import SECONDS

PERMANENCE = Path(sys.executable).parent / "permanence"
REQUEST_BYTES_MAX = 65_536
_CALLER = """\
#!{python} -IS
import json, os, socket, sys

with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as wire:
    wire.connect({address!r})
    asked = [sys.argv, os.getcwd(), dict(os.environ)]
    socket.send_fds(wire, [json.dumps(asked).encode()], [0, 1, 2])
    sys.exit(int(wire.recv(16) or b"70"))
"""


@contextmanager
def forked_commands(folder: Path) -> Iterator[Path]:
    """Give the folder with this `permanence`, to be the first of a `PATH`."""
    programs = folder / "programs"
    programs.mkdir()
    address = str(folder / "commands.sock")
    caller = programs / "permanence"
    caller.write_text(
        _CALLER.format(python=sys.executable, address=address), encoding="ascii"
    )
    caller.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout
        assert process.stdout.readline(), "the process that forks has ended"
        yield programs
        assert process.stdin
        process.stdin.close()
        process.wait(SECONDS)


def _serve(address: str) -> None:
    """Fork for each caller until standard input ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen()
        signal(SIGCHLD, SIG_IGN)  # nobody waits for forks: the kernel buries them
        print("listening", flush=True)  # noqa: T201 - the parent waits for it
        both: list[socket.socket | int] = [listening, sys.stdin.fileno()]
        while listening in select.select(both, [], [])[0]:
            caller, _ = listening.accept()
            with caller:
                if os.fork() == 0:
                    listening.close()
                    _answer(caller)


def _answer(caller: socket.socket) -> NoReturn:
    """Run the command of a caller in a fork, and answer with its exit code."""
    request, streams, _, _ = socket.recv_fds(caller, REQUEST_BYTES_MAX, 3)
    signal(SIGCHLD, SIG_DFL)
    pid = os.fork()
    if pid == 0:
        caller.close()
        words, folder, environment = json.loads(request)
        _run(words, folder, environment, streams)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    caller.send(str(code % 256).encode())
    os._exit(0)


def _run(
    words: list[str], folder: str, environment: dict[str, str], streams: list[int]
) -> NoReturn:
    """Become `permanence` as its caller started it."""
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = words
    run_path(str(PERMANENCE), run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    for name in dict.fromkeys(MODULES.values()):
        import_module(name)
    be_patient()
    gc.freeze()  # the forks share it: nobody writes to it
    _serve(sys.argv[1])
