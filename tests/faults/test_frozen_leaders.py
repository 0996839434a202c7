"""A frozen leader holds up nobody: its twin takes over, and what thaws is fenced."""

from collections.abc import Iterator

import pytest

from tests.support.calling import CallingDesk, calling_desk
from tests.support.desk import SERVICES, TWIN, until
from tests.support.servers import reachable_folder

pytestmark = [pytest.mark.servers, pytest.mark.e2e]

SECONDS = 120


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    both = (*SERVICES, f"escalation{TWIN}")
    with reachable_folder() as folder, calling_desk(folder, start=both) as running:
        yield running


def test_frozen_escalation(desk: CallingDesk) -> None:
    services = desk.desk.services
    services["escalation_twin"].stop()
    desk.open()
    desk.until_mails(1)
    services["escalation_twin"].start()
    desk.desk.wait_ready(["escalation_twin"])
    services["escalation"].freeze()
    desk.open()
    until(lambda: len(desk.inbox.mails) == 2, "the twin sends", 30)
