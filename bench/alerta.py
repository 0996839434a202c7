"""The peer: Alerta 9.1 on a PostgreSQL like ours, with the same load and sender.

It is installed into a virtual environment outside this repository. It runs two worker
processes. Its 201 means committed and readable, our 202 only committed: compare it with
`visible` as well.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from bench.figure import Figure, median_of
from bench.sending import Load, send
from standalone.ports import free_port
from tests.support.folders import reachable_folder
from tests.support.patience import until
from tests.support.servers.servers import running_postgres

PACKAGES = ("alerta-server==9.1.0", "psycopg2-binary", "gunicorn", "setuptools<81")
WORKERS = 2
SIGNAL = (
    '{"environment":"Production","resource":"{key}","event":"DiskFull",'
    '"severity":"major","service":["web"],"text":"a disk is full on a web server",'
    '"attributes":{"zone":"ams"}}'
)
LOADS = {
    "new, one a request": Load("new"),
    "duplicates, one a request": Load("dup", keys=100),
}
BEST = {"PLUGINS": "reject"}
"""As few statements per alert as possible: only one of its bundled plug-ins."""


def figures(
    folder: Path, rounds: int, seconds: float, **settings: str
) -> Iterator[Figure]:
    """Measure how many alerts per second it accepts, under these settings."""
    _install(folder)
    with reachable_folder(on_disk=True) as home, running_postgres(home) as postgres:
        owner = postgres.cluster.dsn("postgres")
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("CREATE DATABASE alerta")
        dsn = postgres.cluster.dsn("alerta")
        with _serving(folder, dsn, settings) as url:
            for name, load in LOADS.items():
                rates = [_rate(url, dsn, load, n, seconds) for n in range(rounds)]
                yield median_of(name, rates, "/s")


def _install(folder: Path) -> None:
    if not (folder / "bin" / "gunicorn").exists():
        subprocess.run(["python3", "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "-q", *PACKAGES], check=True)


@contextmanager
def _serving(folder: Path, dsn: str, settings: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    command = [str(folder / "bin" / "gunicorn"), "-w", str(WORKERS), "--preload"]
    command += ["-b", f"127.0.0.1:{port}", "alerta.app:create_app()"]
    environment = {**os.environ, "DATABASE_URL": dsn, "SECRET_KEY": "bench", **settings}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/alerts").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    try:
        until(answers, "Alerta answers", 60)
        yield url
    finally:
        process.terminate()
        process.wait()


def _rate(url: str, dsn: str, load: Load, number: int, seconds: float) -> float:
    """Return the alerts accepted per second; fail if it lost one."""
    before = _stored(dsn)
    one = Load(f"{load.prefix}-{number}", keys=load.keys)
    sent = send(url, "", one, seconds, path="/alert", signal=SIGNAL)
    assert not sent.refused, sent
    assert _stored(dsn) - before >= sent.accepted, "it lost some: this run is void"
    return sent.accepted / sent.seconds


def _stored(dsn: str) -> int:
    """Return the number of alerts it has stored, repeats included."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(1 + duplicate_count), 0) FROM alerts"
        ).fetchone()
    return int(row[0]) if row else 0
