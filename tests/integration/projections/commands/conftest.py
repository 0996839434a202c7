"""The desk of intake and projections, for tests of commands and of their screens."""

from collections.abc import Iterator

import pytest

from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder


@pytest.fixture(scope="package")
def desk() -> Iterator[Desk]:
    """Yield a running intake and projections, with the starter's policy."""
    with (
        reachable_folder() as folder,
        running_desk(folder, start=("intake", "projections")) as running,
    ):
        yield running
