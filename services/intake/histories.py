"""Histories of several streams, read so that an unreadable one fails alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from psycopg import Cursor

from shared.eventlog.entry import Entry
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog, Row
from shared.observability.telemetry import wordless


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stream that cannot be read: the version it is at, and why, without words."""

    version: int
    why: str


def histories(
    log: EventLog, cursor: Cursor[tuple[Any, ...]], streams: Sequence[str]
) -> Mapping[str, list[Entry] | Unreadable]:
    """Return the entries of each stream that exists, in order.

    Raises `Unavailable` only: whatever else is wrong with a stream is its own problem.
    """
    rows = log.stored_histories(cursor, streams)
    by_stream = {
        name: list(group) for name, group in groupby(rows, key=attrgetter("stream"))
    }
    try:
        log.learn(rows)
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001, S110 # one key of many: its stream tells
        pass
    return {name: _read(log, rows) for name, rows in by_stream.items()}


def _read(log: EventLog, rows: Sequence[Row]) -> list[Entry] | Unreadable:
    try:
        return log.entries(rows)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 # whatever it is, it is this stream's
        return Unreadable(rows[-1].version, wordless(error))
