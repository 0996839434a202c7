"""The demo's own folder: created afresh each time, and never anybody else's."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standalone.folder import Account, lock_file, only_one, open_home
from standalone.startup_error import Exit, StartupError
from standalone.supervisor import end_leftovers

MARK = "demo"
"""The file that says whose folder it is; the log's first event says so as well."""


@contextmanager
def fresh_home(home: Path, account: Account | None) -> Iterator[Path]:
    """Give `home`, empty but for its lock and its mark.

    A log cannot be cleaned: the day before goes with its whole folder. Trouble: a demo
    runs there, or what lies there is no demo's.
    """
    home = open_home(home, account)
    with only_one(home):
        _demand_a_demos(home)
        end_leftovers(home)
        for path in home.iterdir():
            if path in {lock_file(home), home / MARK}:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        yield home


def _demand_a_demos(home: Path) -> None:
    """Mark `home` as a demo's. Trouble: a desk lies there that nobody may delete."""
    mark = home / MARK
    others = {path.name for path in home.iterdir()} - {lock_file(home).name, MARK}
    if others and not mark.exists():
        raise StartupError(
            f"The folder {home} holds a desk that is no demo, and the demo would "
            "delete it: give it a folder of its own with `permanence demo --home …`",
            Exit.FOLDER,
        )
    mark.touch()
