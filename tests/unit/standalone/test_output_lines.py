"""The output of a child, cut into lines."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from standalone.supervisor import lines


async def cut(chunks: list[bytes]) -> list[str]:
    """Return the lines of a stream that arrives in `chunks`."""
    stream = asyncio.StreamReader()
    for chunk in chunks:
        stream.feed_data(chunk)
    stream.feed_eof()
    return [line async for line in lines(stream)]


@given(st.lists(st.binary(max_size=50)))
def test_no_byte_is_lost_however_the_output_arrives(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)

    got = asyncio.run(cut(chunks))

    assert got == [
        line.decode("utf-8", "replace")
        for line in whole.removesuffix(b"\n").split(b"\n")
        if whole
    ]


def test_a_line_without_end_comes_in_parts() -> None:
    endless = b"x" * 3_000_000

    parts = asyncio.run(cut([endless]))

    assert len(parts) > 1
    assert "".join(parts).encode() == endless
