"""Which streams, whose end the log lacks, the relay may empty."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from services.intake.relay.relay import Tail, _require_retired, read_tail
from shared.eventlog.continuity.check import LogSnapshot
from shared.eventlog.continuity.evidence import FIRST, EpochId, Mark
from shared.eventlog.continuity.last_seen import UNKNOWN_SERVER, LastSeen, seen_at
from shared.eventlog.recorder import Head
from shared.messaging.streams import Refused

CHAIN = bytes(32)
SECOND = EpochId(2, "5f3a09c1")
UNNAMED = Tail(1, 9, CHAIN, None)
"""It ends with position 9, and an older version sent that."""


def restored() -> LogSnapshot:
    """Return a log of which the second epoch began with a restore."""
    head = Head(3, datetime(2026, 12, 1, tzinfo=UTC), CHAIN, None)
    return LogSnapshot(head, SECOND, 2, (), [])


def recorded(position: int, epoch: EpochId) -> LastSeen:
    return seen_at(Mark(position, CHAIN), epoch, UNKNOWN_SERVER)


@pytest.mark.parametrize(
    "record", [None, recorded(8, FIRST), recorded(9, SECOND), recorded(10, SECOND)]
)
def test_an_end_of_no_epoch_stays_unless_the_record_went_as_far_before_the_restore(
    record: LastSeen | None,
) -> None:
    with pytest.raises(Refused, match="an older version"):
        _require_retired(UNNAMED, record, restored())


@pytest.mark.parametrize("position", [9, 10])
def test_an_end_of_no_epoch_goes_once_a_restore_ended_what_was_recorded(
    position: int,
) -> None:
    _require_retired(UNNAMED, recorded(position, FIRST), restored())


@pytest.mark.parametrize("tail", [Tail(1, 9, CHAIN, FIRST), Tail(1, 9, b"", None)])
def test_what_names_its_epoch_or_is_no_event_needs_no_record(tail: Tail) -> None:
    _require_retired(tail, None, restored())


class PurgedMeanwhile:
    """A NATS in which somebody empties the stream while it is read."""

    def __init__(self) -> None:
        full = SimpleNamespace(messages=2, first_seq=1, last_seq=2)
        empty = SimpleNamespace(messages=0, first_seq=3, last_seq=2)
        self._states: Iterator[SimpleNamespace] = iter([full, empty, empty])

    def jetstream(self, **_: object) -> "PurgedMeanwhile":
        return self

    async def stream_info(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(state=next(self._states))

    async def get_msg(self, *_: object, **__: object) -> None:
        raise NotFoundError


def test_a_stream_that_is_emptied_meanwhile_is_not_taken_for_one_of_no_events() -> None:
    client = cast(Client, PurgedMeanwhile())

    assert asyncio.run(read_tail(client, 7)) == Tail(2, 7, None)
