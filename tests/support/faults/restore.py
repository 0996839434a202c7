"""A database put back under a running desk: an older copy, or a log cut off."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.eventlog.continuity.check import LogSnapshot
from shared.eventlog.log import EventLog
from tests.support.servers.servers import Database, PostgresServer


def back_up(server: PostgresServer) -> Path:
    """Copy the files of a server, stopped meanwhile; return where the copy is."""
    data = server.cluster.data
    copy = data.with_name("backup")
    server.stop()
    _copy(data, copy)
    server.start().wait()
    return copy


def put_back(server: PostgresServer, copy: Path) -> None:
    """Let the server go on from a copy, as if nothing had happened since."""
    data = server.cluster.data
    server.stop()
    shutil.rmtree(data)
    _copy(copy, data)
    server.start().wait()


def go_back(database: Database, position: int) -> None:
    """Take the log back to `position`, as a restore in place would."""
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute("ALTER TABLE log.events DISABLE TRIGGER append_only")
        owner.execute("DELETE FROM log.events WHERE notification_id > %s", (position,))
        owner.execute("ALTER TABLE log.events ENABLE TRIGGER append_only")


def count_looks(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Return a list that grows with each look at a log in this process."""
    looks: list[None] = []
    look = EventLog.look

    def counted(log: EventLog, *rest: Any, **named: Any) -> LogSnapshot:
        looks.append(None)
        return look(log, *rest, **named)

    monkeypatch.setattr(EventLog, "look", counted)
    return looks


def _copy(source: Path, target: Path) -> None:
    # `cp` keeps owners and modes, without which PostgreSQL does not start.
    subprocess.run(["/bin/cp", "-a", source, target], check=True)
