"""Headers read fast are those the library reads."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from nats.aio.client import Client

from shared.eventlog.log import Row
from shared.messaging.connection import QuickClient
from shared.messaging.envelope import headers_of

ROW = Row(
    42,
    "incident-INC-000042",
    3,
    "incident.opened",
    b"{}",
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    UUID(int=7),
    bytes(range(32)),
)


def read_by(client: type[Client], raw: bytes) -> dict[str, str]:
    return client._parse_header_lines(raw)


def test_the_headers_of_an_event_are_read_as_they_were_written() -> None:
    headers = {**headers_of(ROW), "Nats-Batch-Id": "ab12", "Nats-Batch-Sequence": "1"}
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    assert read_by(QuickClient, raw.encode()) == headers


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"A: b\r\n\r\n",
        b"A:b\r\nC:\td \r\n\r\n",
        b"A: b: c\r\nno colon\r\nD:\r\n\r\n",
        "A: ça va\r\n\r\n".encode(),
        b"A: \xff\xfe\r\n\r\n",
        b"A: b\r\nA: c\r\n\r\n",
    ],
)
def test_odd_headers_are_read_as_the_library_reads_them(raw: bytes) -> None:
    assert read_by(QuickClient, raw) == read_by(Client, raw)


def test_the_library_still_has_what_is_made_fast() -> None:
    assert "_parse_header_lines" in vars(Client)
