"""Where a desk keeps its data if PostgreSQL cannot reach the folder that was chosen.

As root PostgreSQL runs as `nobody`, who may pass neither `/root` nor what `mktemp -d`
makes. We never widen a folder that is not ours. Instead the data goes to a folder of
its own that `nobody` can reach, and the chosen folder is a link to it.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shared.machine.account import Account, blocked_at
from shared.machine.lock import holder
from shared.machine.trouble import Exit, Trouble

SYSTEM_PLACE = Path("/var/lib/permanence")


def usual_places() -> Sequence[Path]:
    """Return where linked data may lie, the best place first."""
    return (SYSTEM_PLACE, Path(tempfile.gettempdir()))


def place_for(account: Account, places: Sequence[Path]) -> Path | None:
    """Return the first of `places` that `account` can reach and we may write.

    None if there is no such place. A place that does not exist yet is as good as the
    folder it would be made in.
    """
    for place in places:
        ground = place if place.exists() else place.parent
        if (
            ground.is_dir()
            and os.access(ground, os.W_OK | os.X_OK)
            and _only_owners_remove(ground)
            and blocked_at(ground, account) is None
        ):
            return place
    return None


def _only_owners_remove(folder: Path) -> bool:
    """Tell whether nobody can put another folder in the place of ours."""
    held = folder.stat()
    shared = held.st_mode & (stat.S_IWOTH | stat.S_IWGRP)
    return held.st_uid in {0, os.geteuid()} and (
        not shared or bool(held.st_mode & stat.S_ISVTX)
    )


def link_elsewhere(home: Path, account: Account, places: Sequence[Path]) -> None:
    """Make `home` lie where `account` can reach it, if it does not yet.

    The first folder on the way to `home` that does not exist becomes the link, so that
    whatever else is made in it can be reached too. Trouble: data is there already, or
    there is no place for it. The home of a desk that runs is left as it is.
    """
    wall = blocked_at(home, account)
    if wall is None or holder(home) is not None:
        return
    place = place_for(account, places)
    if place is None or (home / "postgres").exists():
        raise unreachable(wall, account)
    if not place.exists():
        place.mkdir()
        place.chmod(0o711)
    made = Path(tempfile.mkdtemp(prefix=_prefix(home, place), dir=place))
    made.chmod(0o711)
    link = _first_missing(home)
    if link.is_dir():  # of a desk that never came up
        for path in link.iterdir():
            shutil.move(path, made)
        link.rmdir()
    try:
        link.symlink_to(made, target_is_directory=True)
    except FileExistsError:  # another start was quicker
        with suppress(OSError):
            made.rmdir()


def unreachable(wall: Path, account: Account) -> Trouble:
    """Return what to say if `account` cannot pass `wall`."""
    return Trouble(
        f"PostgreSQL does not run as root, so it runs as {account.name}, who may "
        f"not pass {wall}. Keep the data elsewhere with "
        "PERMANENCE_HOME=/var/lib/permanence/desk make up, or run as an ordinary user.",
        Exit.FOLDER,
    )


def linked(home: Path) -> str:
    """Return a sentence that says where the data lies; empty if it lies in `home`."""
    chosen, real = home.absolute(), home.resolve()
    way = (chosen, *chosen.parents)
    link = next(filter(os.path.islink, way), None)  # which raises nowhere
    if link is None or chosen == real:
        return ""
    return f"The data is in {real}: {link} is a link."


def _prefix(home: Path, place: Path) -> str:
    checkout = home.absolute().parent.name
    return f"{checkout}-" if place == SYSTEM_PLACE else f"permanence-{checkout}-"


def _first_missing(home: Path) -> Path:
    chosen = home.absolute()
    missing = [path for path in (chosen, *chosen.parents) if not path.exists()]
    return missing[-1] if missing else chosen
