"""The demo's own folder: made anew each time, and never anybody else's."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.machine.account import Account
from shared.machine.home import open_home
from shared.machine.leftovers import end_leftovers
from shared.machine.lock import lock_file, only_one


@contextmanager
def fresh_home(home: Path, account: Account | None) -> Iterator[Path]:
    """Give `home`, empty but for its lock. Trouble: a demo runs there, or it is taken.

    A log cannot be cleaned: the day before goes with its whole folder.
    """
    home = open_home(home, account)
    with only_one(home):
        end_leftovers(home)
        for path in home.iterdir():
            if path == lock_file(home):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        yield home
