"""Reads server-sent events in a test, as an EventSource would."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx

from tests.support.patience import SECONDS, OutOfPatience


@dataclass(frozen=True)
class Said:
    """One block of a stream; `data` is its JSON, None where it has none."""

    id: str | None
    event: str | None
    retry: int | None
    data: dict[str, Any] | None


@contextmanager
def listening(
    url: str, headers: Mapping[str, str], **asked: Any
) -> Iterator[Iterator[Said]]:
    """Give the blocks of the stream at `url`; the answer must be good."""
    with httpx.stream(
        "GET", url, params=asked, headers=headers, timeout=SECONDS
    ) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _blocks(answer.iter_lines())


def events(said: Iterator[Said], count: int) -> list[Said]:
    """Return the next `count` blocks that hold an event."""
    found: list[Said] = []
    while len(found) < count:
        block = next(said)
        if block.data is not None:
            found.append(block)
    return found


def _blocks(lines: Iterator[str]) -> Iterator[Said]:
    fields: dict[str, str] = {}
    heard_at = monotonic()
    for line in lines:
        if line.startswith(":"):  # a comment, to keep the connection alive
            if monotonic() - heard_at > SECONDS:
                raise OutOfPatience(f"not in {SECONDS} s: an event")
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield Said(
                fields.get("id"),
                fields.get("event"),
                int(fields["retry"]) if "retry" in fields else None,
                json.loads(fields["data"]) if "data" in fields else None,
            )
            fields, heard_at = {}, monotonic()
