"""A database put back under a running desk: an older copy of its files."""

import shutil
import subprocess
from pathlib import Path

from tests.support.servers import PostgresServer


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


def _copy(source: Path, target: Path) -> None:
    # `cp` keeps owners and modes, without which PostgreSQL does not start.
    subprocess.run(["/bin/cp", "-a", source, target], check=True)
