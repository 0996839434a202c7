"""The command line of a child that neither outlives us nor shares our terminal."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from signal import Signals

from shared.machine.account import Account

_LAUNCHER = str(Path(__file__).with_name("launch.py"))


def child_command(
    command: Sequence[str], *, when_we_die: Signals, account: Account | None = None
) -> list[str]:
    """Return `command` wrapped so that it gets `when_we_die` if our thread dies.

    Start it with `start_new_session=True`, from the main thread: the kernel watches
    the thread that started it.
    """
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    tie = (os.getpid(), int(when_we_die), uid, gid)
    return [sys.executable, "-I", _LAUNCHER, *map(str, tie), *command]
