"""Whatever crashes, goes back or is lost, and whatever starts first: no name is reused.

No reference, id or key stands for two things, or the desk is red and says what to do,
and that works. Not known to anybody, and so left out as the documentation says: what is
recorded beside an older copy while NATS, which alone knows better, is away.
The corners show what was found; beside them eight generated stories are tried in the
gate, and fifty with `make faults`.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.continuity import at_once
from tests.support.examples import examples
from tests.support.faults.restored_desk import Crash, RestoredDesk
from tests.support.servers.servers import NatsServer, PostgresServer

pytestmark = pytest.mark.servers

LONG = os.environ.get("FAULTS") == "long"
CRASHES_MAX = 3

STOPPED = Crash(lost=0, back=None)
FRESH = Crash(nats="lost", files="lost")
MINUTES = [1, 300, 10_080]
CORNERS = {
    "a backup, and again the same one, without a witness": [
        FRESH,
        replace(FRESH, back=1),
    ],
    "an older backup, then a newer one, without a witness": [
        STOPPED,
        replace(FRESH, back=1),
        replace(FRESH, back=1),
    ],
    "a newer backup, then an older one": [
        replace(STOPPED, busy=3_000),
        replace(STOPPED, busy=5_000),
        FRESH,
        replace(FRESH, back=2),
    ],
    "Sunday, then Monday": [
        replace(STOPPED, busy=3_000, minutes=4 * 24 * 60),
        replace(STOPPED, minutes=24 * 60),
        replace(FRESH, back=1),
        replace(FRESH, back=1),
    ],
    "said twice, then the same backup": [
        replace(STOPPED, busy=3_000),
        replace(FRESH, twice=True, busy=200),
        replace(FRESH, back=1),
    ],
    "the same one with the NATS and the files of that day, twice": [
        Crash(nats="restored", files="restored", minutes=300),
        Crash(back=1, nats="restored", files="restored"),
    ],
    "only files know, which NATS never saw, and NATS was lost": [
        Crash(lost=2, nats_saw=False, nats="lost", first="services"),
    ],
    "only NATS knows, and is there after the services, who grew past it": [
        Crash(files="lost", first="services"),
    ],
    "only NATS knows, and is not there before the next crash": [
        Crash(lost=2, files="lost", first="only services"),
        Crash(back=None),
    ],
    "NATS knows the lost past of a log that was restored without it": [
        Crash(files="lost", first="only services", says="at once"),
        Crash(back=1, files="lost"),
    ],
    "NATS is as the version before left it, and only that knows": [
        Crash(files="lost", former=True),
        Crash(files="lost", former=True, first="services"),
    ],
    "to nothing, with files, then without": [Crash(back=9), replace(FRESH, back=9)],
    "PostgreSQL stays, the others go back or are lost": [
        Crash(lost=2, back=None, nats="restored", files="restored"),
        replace(FRESH, back=None, first="services"),
    ],
}

fates = st.sampled_from(["kept", "restored", "lost"])
crashes = st.builds(
    Crash,
    lost=st.integers(0, 2),
    nats_saw=st.booleans(),
    back=st.none() | st.integers(0, 3),
    nats=fates,
    files=fates,
    former=st.booleans(),
    minutes=st.sampled_from(MINUTES),
    busy=st.sampled_from([0, 200, 5_000]),
    twice=st.booleans(),
    first=st.sampled_from(["nats", "services", "only services"]),
    says=st.sampled_from(["at once", "when asked"]),
)


@pytest.fixture(autouse=True)
def _limits() -> Iterator[None]:
    with at_once():
        yield


@pytest.mark.parametrize("corner", CORNERS.values(), ids=CORNERS)
def test_no_name_stands_for_two_things_in_a_corner(
    postgres_server: PostgresServer, nats_server: NatsServer, corner: list[Crash]
) -> None:
    _live(postgres_server, nats_server, corner)


def _goes_back(story: list[Crash]) -> bool:
    return any(crash.back is not None for crash in story)


# Without shrinking: each attempt takes some seconds, and a story is short.
@settings(examples(125 if LONG else 20), phases=[Phase.explicit, Phase.generate])
@given(st.lists(crashes, min_size=1, max_size=CRASHES_MAX).filter(_goes_back))
def test_no_name_stands_for_two_things(
    postgres_server: PostgresServer, nats_server: NatsServer, story: list[Crash]
) -> None:
    _live(postgres_server, nats_server, story)


def _live(
    postgres_server: PostgresServer, nats_server: NatsServer, story: list[Crash]
) -> None:
    nats_server.wipe()
    database = postgres_server.fresh_database()
    with TemporaryDirectory() as folder:
        desk = RestoredDesk(postgres_server, nats_server.bus, Path(folder), database)
        try:
            asyncio.run(desk.live(story))
        finally:
            for each in (database, *(backup.database for backup in desk.backups)):
                postgres_server.drop(each)
