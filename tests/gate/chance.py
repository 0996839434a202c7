"""Which failures a busy machine may cause by itself, so that one looks again.

A second look is for tests with servers that waited in vain or lost a connection, in
their call. Whatever is wrong in a rule, an attack or after a kill is wrong at once, and
what a fixture asserts at its end was seen: no second run takes it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

LOOKED_AT_AGAIN = ("tests/integration", "tests/e2e")
"""Folders of tests that may fail by chance: others have no servers, or kill them."""
AGAIN_MAX = 2
"""How many tests of a half may fail by chance: more than these are a fault."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed phase of a test: its id, phase (`call` and so on) and first line.

    `waited` says that what ended it was patience or a broken connection.
    """

    test: str
    phase: str
    line: str
    waited: bool

    @property
    def file(self) -> str:
        """The file of the test, from the root of the repository."""
        return self.test.partition("::")[0]


def by_chance(failures: Sequence[Failure]) -> bool:
    """Say whether all failures of a run may be looked at again."""
    return 0 < len(failures) <= AGAIN_MAX and all(map(_alone_by_chance, failures))


def _alone_by_chance(failure: Failure) -> bool:
    file = PurePosixPath(failure.file)
    inside = any(file.is_relative_to(folder) for folder in LOOKED_AT_AGAIN)
    return inside and failure.phase == "call" and failure.waited
