"""Becomes another program that dies with its parent. Run as a script.

    python -I launch.py PARENT SIGNAL UID GID PROGRAM ARGUMENT...

A supervisor killed with -9 cannot stop its children, so the kernel has to. The kernel
forgets the death signal when the user changes: therefore drop first, then ask, then
exec. Linux only; elsewhere the next start stops what was left over.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def tie_to(parent: int, signal: int) -> None:
    """Have the kernel send us `signal` when `parent` dies; exit if it has died."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


def main(parent: str, signal: str, uid: str, gid: str, *command: str) -> None:
    """Switch to `uid` and `gid` (-1: stay), tie us to `parent`, run `command`."""
    if int(uid) >= 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    tie_to(int(parent), int(signal))
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as reason:
        sys.exit(f"{command[0]} cannot be run: {reason.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
