"""The desk at which people answer pages by links, shared by the tests of these."""

from collections.abc import Iterator

import pytest

from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.folders import reachable_folder


@pytest.fixture(scope="package")
def paging_desk() -> Iterator[CallingDesk]:
    """Yield a desk at 09:10 on Monday: Bruno is on call, Chloé is next."""
    with reachable_folder() as folder, calling_desk(folder) as running:
        yield running
