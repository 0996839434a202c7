"""What was refused and waits in quarantine: nobody lets it out unawares."""

from collections.abc import Iterator

import httpx
import orjson
import pytest

from services.intake.assembly import Parts
from services.intake.signals.reception import REFUSED_SENDER
from tests.integration.intake.signals.mapped_desk import (
    BAD,
    MENDED,
    MappedDesk,
    mapped_desk,
)
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

FORGED = orjson.dumps({"action": "trigger", "title": "Forged", "dedup_key": "forged"})


@pytest.fixture
def desk(database: Database) -> Iterator[MappedDesk]:
    """Give a desk whose source `demo` has a mapping with a gap."""
    with mapped_desk(database) as made:
        yield made


def test_a_forged_signal_is_not_let_out_with_those_of_its_source(
    desk: MappedDesk,
) -> None:
    async def forge(_: httpx.AsyncClient, parts: Parts) -> None:
        why = "the policy refuses the NATS user `monitor`"
        await parts.reception.set_aside("demo", FORGED, why, REFUSED_SENDER)

    desk.run(forge)
    desk.post(BAD)
    desk.map(MENDED)

    tried = desk.ask("POST", "/v1/quarantine/retry", json={"source": "demo"}).json()

    assert (tried["released"], tried["waiting"]) == (1, 1)
    assert [opened.title for opened in desk.opened()] == [BAD["text"]]
    (left,) = desk.listed()
    assert desk.retry(left["id"])["state"] == "released"  # looked at, and let out
