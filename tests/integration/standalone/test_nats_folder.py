"""People call their folders what they like."""

import asyncio
from pathlib import Path

import pytest

from shared.messaging.streams import provision
from standalone.nats import Bus
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import running_nats

pytestmark = pytest.mark.servers


async def provisioned(bus: Bus) -> None:
    async with connected_to(bus.url("admin")) as client:
        await provision(client.jetstream())


@pytest.mark.parametrize("name", ["café du coin", "a \"b\" 'c'", "$HOME \\u00e9"])
def test_nats_keeps_its_streams_whatever_its_folder_is_called(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()

    with running_nats(folder, durable=False) as server:
        asyncio.run(provisioned(server.bus))

    assert (folder / "nats" / "jetstream").is_dir()
