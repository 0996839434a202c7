"""deploy/nats.conf, read by the real nats-server with the secrets the script makes."""

import asyncio
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

import pytest

from docs.generate.nats_config import password_variable
from shared.security.nats_issuer import Issuer
from standalone.nats import USERS, wait_until_serving
from standalone.servers import nats_binary
from tests.support.compose import ROOT, new_secrets, read
from tests.support.ports import reserved_port
from tests.support.servers.certificates import certificate
from tests.support.servers.nats_clients import client_of
from tests.support.servers.server import Server
from tests.support.servers.servers import ISSUER_SEED

pytestmark = pytest.mark.servers


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give the secrets of a new desk, which are in the environment."""
    new_secrets(tmp_path / "secrets")
    made = read(tmp_path / "secrets")
    for name, secret in made.items():
        monkeypatch.setenv(name, secret)
    return made


@contextmanager
def serving(folder: Path, config: str) -> Iterator[int]:
    """Run nats-server with a file of deploy/, on a port of this machine."""
    port = reserved_port()
    instead = {
        "0.0.0.0:4222": f"127.0.0.1:{port}",
        "0.0.0.0:8222": f"127.0.0.1:{reserved_port()}",
        "/data": f"{folder / 'data'}",
        "/etc/nats/tls": f"{folder}",
    }
    for name in {"nats.conf", config}:
        text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
        for theirs, ours in instead.items():
            text = text.replace(theirs, ours)
        (folder / name).write_text(text)
    command = [str(nats_binary()), "--config", str(folder / config)]
    server = Server(command, None, folder / "log", SIGTERM).start()
    try:
        wait_until_serving(port, server.alive)
        yield port
    finally:
        server.stop()


def test_every_user_comes_in_with_a_password_of_the_environment(
    tmp_path: Path, secrets: dict[str, str]
) -> None:
    with serving(tmp_path, "nats.conf") as port:
        for user in USERS:
            asyncio.run(come_in(user, secrets[password_variable(user)], port))


def test_with_tls_nobody_tells_a_password_in_clear(
    tmp_path: Path, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = certificate(tmp_path, "127.0.0.1")
    password = secrets[password_variable("intake")]

    with serving(tmp_path, "nats.tls.conf") as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            asyncio.run(come_in("intake", password, port, allow_reconnect=False))
        greeting = asyncio.run(greeted(port))
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        asyncio.run(come_in("intake", password, port))

    assert greeting["tls_required"]


async def come_in(user: str, password: str, port: int, **options: bool) -> None:
    """Connect; raises where the server refuses, or cannot be trusted."""
    url = f"nats://{user}:{password}@127.0.0.1:{port}"
    client = await client_of(url, **options)
    try:
        await client.flush()
    finally:
        await client.close()


async def greeted(port: int) -> dict[str, bool]:
    """Return what the server says of itself to who connects."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    line = await reader.readline()
    writer.close()
    said: dict[str, bool] = json.loads(line.removeprefix(b"INFO "))
    return said


def test_without_a_password_the_server_does_not_start() -> None:
    environment = {
        name: value for name, value in os.environ.items() if "PASSWORD" not in name
    } | {"NATS_ISSUER": Issuer.of(ISSUER_SEED).public}

    refused = subprocess.run(
        [nats_binary(), "--config", ROOT / "deploy" / "nats.conf", "-t"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode != 0
    assert "NATS_INTAKE_PASSWORD" in refused.stderr
