"""deploy/nats.conf, read by the real nats-server with the secrets the script makes."""

import asyncio
import os
import subprocess
from pathlib import Path
from signal import SIGTERM

import pytest

from docs.generate.nats_config import password_variable
from shared.machine.binaries import nats_binary
from shared.machine.nats import wait_until_serving
from shared.machine.nats_rights import USERS
from shared.machine.ports import free_port
from shared.nats_issuer import Issuer
from tests.support.compose import ROOT, new_secrets, read
from tests.support.nats_clients import client_of
from tests.support.server import Server
from tests.support.servers import ISSUER_SEED

pytestmark = pytest.mark.servers


def test_every_user_comes_in_with_a_password_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_secrets(tmp_path / "secrets")
    secrets = read(tmp_path / "secrets")
    for name, secret in secrets.items():
        monkeypatch.setenv(name, secret)
    port = free_port()
    config = tmp_path / "nats.conf"
    config.write_text(
        (ROOT / "deploy" / "nats.conf")
        .read_text(encoding="utf-8")
        .replace("0.0.0.0:4222", f"127.0.0.1:{port}")
        .replace("0.0.0.0:8222", f"127.0.0.1:{free_port()}")
        .replace('"/data"', f'"{tmp_path / "data"}"')
    )
    command = [str(nats_binary()), "--config", str(config)]
    server = Server(command, None, tmp_path / "log", SIGTERM).start()
    try:
        wait_until_serving(port, server.alive)
        for user in USERS:
            asyncio.run(come_in(user, secrets[password_variable(user)], port))
    finally:
        server.stop()


async def come_in(user: str, password: str, port: int) -> None:
    """Connect; raises where the server refuses."""
    client = await client_of(f"nats://{user}:{password}@127.0.0.1:{port}")
    await client.flush()
    await client.close()


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
