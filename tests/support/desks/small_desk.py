"""A desk with real servers, real credentials and two services of a few lines.

    python -m tests.support.desks.small_desk

`SMALL_DESK_BREAKS` names a service that ends as soon as it starts, `SMALL_DESK_HANGS`
one that never serves. With `SMALL_DESK_RESTORED` a new epoch begins, for that reason.
`SMALL_DESK_CLUSTER` is the data of a PostgreSQL with all migrations, which a new desk
copies unless it is "none": initdb and the migrations took most of such a start.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import standalone.ports
import standalone.up
from standalone import postgres, supervisor
from standalone.credentials import Credentials
from standalone.folder import Account
from standalone.servers import DATABASE
from standalone.services import SERVICES
from standalone.settings import read_settings
from standalone.startup_error import StartupError
from standalone.up import BeginEpoch, Plan, Terminal, up
from tests.support.patience import SECONDS
from tests.support.ports import reserved_port

SMALL = tuple(
    replace(service, command=("-m", "tests.support.desks.small_service", service.name))
    for service in SERVICES
    if service.name in {"intake", "projections"}
)


def bootstrap(
    owner_dsn: str, lever: Path | None, credentials: Credentials
) -> Credentials:
    """Count the starts, to show that the credentials are kept."""
    assert owner_dsn.startswith("postgresql://")
    assert lever is None
    return replace(credentials, token=f"{credentials.token}x", source_key="key")


def main() -> int:
    """Run it; return the exit code."""
    # Who got no time for a second or two would lose what tests look for.
    supervisor._LAST_WORDS = standalone.up._LAST_WORDS_SECONDS = SECONDS
    standalone.ports.free_port = reserved_port
    if os.environ.get("SMALL_DESK_CLUSTER", "none") != "none":
        postgres._initdb = _copy
    terminal = Terminal()
    try:
        up(Plan(read_settings(), SMALL, bootstrap, terminal, _beginning()))
    except StartupError as trouble:
        sys.stderr.write(f"{trouble}\n")
        return trouble.code
    finally:
        terminal.close()
    return 0


def _copy(
    programs: Path, data: Path, secret: Path, account: Account | None, *, durable: bool
) -> None:
    """Make a cluster as initdb does, and the desk's database, from a prepared one."""
    assert durable, "as for a person"
    prepared = os.environ["SMALL_DESK_CLUSTER"]
    subprocess.run(["cp", "-a", f"{prepared}/.", data], check=True)
    password = secret.read_text(encoding="ascii")
    subprocess.run(
        [programs / "postgres", "--single", "-D", data, "postgres"],
        input=f"ALTER ROLE {postgres.OWNER} PASSWORD '{password}'\n"
        f"CREATE DATABASE {DATABASE} TEMPLATE migrated_server STRATEGY file_copy\n",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        cwd=data,
        env={"PATH": os.defpath, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    )


def _beginning() -> BeginEpoch | None:
    reason = os.environ.get("SMALL_DESK_RESTORED")
    if not reason:
        return None
    # It imports most of a service: some forty desks start without.
    from cli.restored import epoch_at_start

    return epoch_at_start(reason)


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "200")
    sys.exit(main())
