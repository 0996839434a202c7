"""People call their folders what they like."""

import asyncio
from pathlib import Path

import nats
import pytest

from shared.messaging.streams import provision
from standalone.nats import Bus
from tests.support.servers import running_nats

pytestmark = pytest.mark.servers


async def provisioned(bus: Bus) -> None:
    client = await nats.connect(bus.url("admin"))
    await provision(client.jetstream())
    await client.close()


@pytest.mark.parametrize("name", ["café du coin", "a \"b\" 'c'", "$HOME \\u00e9"])
def test_nats_keeps_its_streams_whatever_its_folder_is_called(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()

    with running_nats(folder, durable=False) as server:
        asyncio.run(provisioned(server.bus))

    assert (folder / "nats" / "jetstream").is_dir()
