"""A desk with real servers, real credentials and two services of a few lines.

    python -m tests.support.desks.small_desk

`SMALL_DESK_BREAKS` names a service that ends as soon as it starts, `SMALL_DESK_HANGS`
one that never serves. With `SMALL_DESK_RESTORED` a new epoch begins, for that reason.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import standalone.ports
import standalone.up
from standalone import supervisor
from standalone.credentials import Credentials
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
    terminal = Terminal()
    try:
        up(Plan(read_settings(), SMALL, bootstrap, terminal, _beginning()))
    except StartupError as trouble:
        sys.stderr.write(f"{trouble}\n")
        return trouble.code
    finally:
        terminal.close()
    return 0


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
