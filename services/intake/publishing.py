"""Events into the stream `DESK_EVENTS`: a whole batch or nothing, and fenced.

The first message says which sequence must be the last in the stream; whoever published
in between makes the whole batch fail.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from nats.aio.client import Client
from nats.js.api import Header

from shared.eventlog.log import Row
from shared.messaging import subjects
from shared.messaging.envelope import Unreadable, headers_of, row_of

BATCH = 500
"""Messages in one atomic batch; JetStream takes at most 1,000."""
BATCH_BYTES_MAX = 4_000_000
PUBLISH_SECONDS = 2.0


NOWHERE = 0
"""The position of what is no event of the log."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the stream: its last sequence, and the event that is there.

    `chain` is None where the stream is empty: `position` is then where to begin.
    """

    sequence: int
    position: int
    chain: bytes | None


async def read_tail(client: Client, head: int) -> Tail:
    """Return the end of the stream; an empty one is to go on from `head`."""
    jetstream = client.jetstream(timeout=PUBLISH_SECONDS)
    info = await jetstream.stream_info(subjects.EVENTS_STREAM)
    last = info.state.last_seq
    if not info.state.messages:
        return Tail(last, head, None)
    message = await jetstream.get_msg(subjects.EVENTS_STREAM, seq=last)
    try:
        row = row_of(message.headers, message.data or b"")
    except Unreadable:
        return Tail(last, NOWHERE, b"")
    return Tail(last, row.position, row.chain)


async def publish(client: Client, tail: Tail, rows: Sequence[Row]) -> Tail:
    """Publish `rows`, which follow `tail` in the log, as one batch; return the new end.

    Raises `APIError` where the stream is not at `tail`: then nothing is stored.
    """
    jetstream = client.jetstream(timeout=PUBLISH_SECONDS)
    batch_id = secrets.token_hex(8)
    messages = [headers_of(row) for row in rows]
    messages[0][Header.EXPECTED_LAST_SEQUENCE.value] = str(tail.sequence)
    if len(rows) > 1:
        for number, headers in enumerate(messages, start=1):
            headers[Header.BATCH_ID.value] = batch_id
            headers[Header.BATCH_SEQUENCE.value] = str(number)
        messages[-1][Header.BATCH_COMMIT.value] = "1"
    for row, headers in zip(rows[:-1], messages, strict=False):
        await client.publish(subjects.event(row.type), row.state, headers=headers)
    last = rows[-1]
    answer = await jetstream.publish(
        subjects.event(last.type), last.state, headers=messages[-1]
    )
    return Tail(answer.seq, last.position, last.chain)


def batch_of(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the first of `rows` that fit into one batch, at least one."""
    size = 0
    for count, row in enumerate(rows[:BATCH]):
        size += len(row.state)
        if count and size > BATCH_BYTES_MAX:
            return rows[:count]
    return rows[:BATCH]
