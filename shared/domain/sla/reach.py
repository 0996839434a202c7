"""Values of promises with which open hours can be counted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain

from pydantic import BaseModel

from shared.domain.events import SlaEvent
from shared.domain.incident.state import BrokenHistory

REACH = timedelta(days=36_525)
"""How far the instants of a promise may be from when they were recorded: a century."""


def require_in_reach(event: SlaEvent, recorded_at: datetime) -> None:
    """Raise `BrokenHistory` if no open hours can be counted with its values."""
    for value in _values(event):
        is_off = (
            abs(value - recorded_at) > REACH
            if isinstance(value, datetime)
            else abs(value) > REACH.total_seconds()
        )
        if is_off:
            raise BrokenHistory(f"{event.type} says {value}, more than a century away")


def _values(value: object) -> Iterator[datetime | int]:
    """Yield the instants and the numbers in an event."""
    match value:
        case datetime() | int():
            yield value
        case BaseModel():
            yield from _values(tuple(value.__dict__.values()))
        case tuple():
            yield from chain.from_iterable(map(_values, value))
        case _:
            pass
