"""An answer goes out in one piece, and none of it waits longer than the event loop."""

import asyncio
from collections.abc import Callable

import pytest

from shared.http.server import HELD_BYTES_MAX, JoinedWrites


class Recorded(asyncio.Transport):
    """Keeps what it gets: a list of pieces for each time it is given any."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[list[bytes]] = []
        self.ended = ""

    def writelines(self, pieces: object) -> None:
        assert isinstance(pieces, list)
        self.sent.append(pieces)

    def close(self) -> None:
        self.ended = f"closed after {len(self.sent)}"

    def abort(self) -> None:
        self.ended = f"aborted after {len(self.sent)}"

    def get_write_buffer_size(self) -> int:
        return 7

    def is_closing(self) -> bool:
        return bool(self.ended)


def after(do: Callable[[JoinedWrites], None]) -> tuple[Recorded, list[list[bytes]]]:
    """Return the transport, and what it had got before the event loop went on."""
    recorded = Recorded()

    async def scenario() -> list[list[bytes]]:
        do(JoinedWrites(recorded, asyncio.get_running_loop()))
        at_once = list(recorded.sent)
        await asyncio.sleep(0)
        return at_once

    return recorded, asyncio.run(scenario())


def test_head_and_body_go_together_when_the_loop_goes_on() -> None:
    def do(writer: JoinedWrites) -> None:
        writer.write(b"head")
        writer.write(b"body")
        assert writer.get_write_buffer_size() == len(b"headbody") + 7

    recorded, at_once = after(do)

    assert at_once == []
    assert recorded.sent == [[b"head", b"body"]]


def test_what_is_large_goes_at_once_and_nothing_twice() -> None:
    large = bytes(HELD_BYTES_MAX)

    def do(writer: JoinedWrites) -> None:
        writer.write(b"head")
        writer.write(large)
        writer.write(b"more")

    recorded, at_once = after(do)

    assert at_once == [[b"head", large]]
    assert recorded.sent == [[b"head", large], [b"more"]]


@pytest.mark.parametrize(
    ("end", "ended", "sent"),
    [
        (JoinedWrites.close, "closed after 1", [[b"last words"]]),
        (JoinedWrites.abort, "aborted after 0", []),
    ],
)
def test_the_end_comes_after_what_was_written_or_instead_of_it(
    end: Callable[[JoinedWrites], None], ended: str, sent: list[list[bytes]]
) -> None:
    def do(writer: JoinedWrites) -> None:
        writer.write(b"last words")
        end(writer)

    recorded, _ = after(do)

    assert recorded.ended == ended
    assert recorded.sent == sent


def test_who_went_in_between_is_sent_nothing() -> None:
    recorded = Recorded()

    async def scenario() -> None:
        JoinedWrites(recorded, asyncio.get_running_loop()).write(b"too late")
        recorded.abort()
        await asyncio.sleep(0)

    asyncio.run(scenario())

    assert recorded.sent == []
