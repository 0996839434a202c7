"""`permanence down`: stops the desk of a folder from another terminal."""

import os
from pathlib import Path
from signal import SIGTERM
from time import monotonic, sleep

from shared.machine.leftovers import end_leftovers
from shared.machine.lock import holder
from shared.machine.run_file import remove_run
from shared.machine.trouble import Exit, Trouble

_PATIENCE_SECONDS = 120
_LOOK_EVERY = 0.1


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
        os.kill(pid, SIGTERM)
    except ProcessLookupError:
        pass  # it has just ended
    except PermissionError:
        raise Trouble(
            f"The desk in {home} (process {pid}) belongs to another user: stop it "
            "as that user, or as root.",
            Exit.FOLDER,
        ) from None
    # The lock, not the process: it may stay a while as a zombie nobody waits for.
    deadline = monotonic() + _PATIENCE_SECONDS
    while holder(home) == pid:
        if monotonic() > deadline:
            raise Trouble(
                f"The desk in {home} has not stopped after {_PATIENCE_SECONDS} s: see "
                f"what it says, or end it with: kill -9 {pid} (the next `make up` "
                "tidies up)."
            )
        sleep(_LOOK_EVERY)
    return f"The desk in {home} has stopped."
