"""`run.json`: where a desk is, for tools and tests. It exists while the desk serves."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.machine.home import write_private


@dataclass(frozen=True)
class Run:
    """Addresses and keys of a running desk; `pids` by the name of the process.

    `database_url` is the owner's, `admin_database_url` that of the command line.
    """

    intake_url: str
    api_url: str
    nats_url: str
    database_url: str
    token: str
    source_key: str
    pids: Mapping[str, int]
    admin_database_url: str = ""
    """Empty in the file of an older version."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Of each service, by its name; empty in the file of an older version."""


def run_file(home: Path) -> Path:
    """Return the path of the run file of `home`."""
    return home / "run.json"


def write_run(home: Path, run: Run) -> None:
    """Tell where the desk is; mode 0600, for it holds keys."""
    write_private(run_file(home), json.dumps(asdict(run), indent=1))


def read_run(home: Path) -> Run | None:
    """Return what the run file says, None if it is missing or unusable."""
    try:
        return Run(**json.loads(run_file(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def remove_run(home: Path) -> None:
    """Say that no desk serves here."""
    run_file(home).unlink(missing_ok=True)
