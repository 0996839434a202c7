"""`permanence down`: stops the desk of a folder from another terminal."""

import os
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM

import psutil

from shared.machine.leftovers import end_leftovers
from shared.machine.lock import holder
from shared.machine.run_file import remove_run
from shared.machine.trouble import Exit, Trouble

_PATIENCE_SECONDS = 120


def down(home: Path) -> str:
    """Stop the desk and return what happened. Trouble: it is not ours, or stays."""
    pid = holder(home)
    if pid is None:
        if not home.is_dir():
            return f"No desk runs in {home}."
        count = end_leftovers(home)
        remove_run(home)
        ended = f" Ended {count} processes a killed one had left." if count else ""
        return f"No desk runs in {home}.{ended}"
    try:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            desk = psutil.Process(pid)
            os.kill(pid, SIGTERM)
            desk.wait(_PATIENCE_SECONDS)
    except PermissionError:
        raise Trouble(
            f"The desk in {home} (process {pid}) belongs to another user: stop it "
            "as that user, or as root.",
            Exit.FOLDER,
        ) from None
    except psutil.TimeoutExpired:
        raise Trouble(
            f"The desk in {home} has not stopped after {_PATIENCE_SECONDS} s: see what "
            f"it says, or end it with: kill -9 {pid} (the next `make up` tidies up)."
        ) from None
    return f"The desk in {home} has stopped."
