"""The result of an adapter as plain data, for people and tools to read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import assert_never

from services.intake.records.signal import NOTE, Signal
from services.intake.signals.schemas import Heard, Ignored, Rejected

Plain = dict[str, object]


def told(heard: Sequence[Heard]) -> list[Plain] | Plain:
    """Return an entry for each element, or the error of a body with one element.

    In a group, a bad element is an entry with `error`: the others are taken.
    """
    match heard:
        case [Rejected() as only]:
            return {"error": error_of(only)}
        case _:
            return [entry(each) for each in heard]


def error_of(rejected: Rejected) -> str:
    """Return why an element is rejected, preceded by its location."""
    at = ".".join(map(str, rejected.loc))
    return f"{at}: {rejected.reason}" if at else rejected.reason


def entry(heard: Heard) -> Plain:
    """Return one element as plain data."""
    match heard:
        case Signal():
            return {
                # A note does not change the state of the alert.
                "action": "ignore" if heard.action == NOTE else heard.action,
                "title": heard.title,
                "severity": heard.severity,
                "dedup_key": heard.dedup_key,
                "event_id": heard.event_id,
                "occurred_at": heard.occurred_at and _utc(heard.occurred_at),
            }
        case Ignored():
            return {
                "action": heard.action,
                "title": heard.title,
                "severity": None,
                "dedup_key": None,
                "event_id": None,
                "occurred_at": None,
                "reason": heard.reason,
            }
        case Rejected():
            return {"error": error_of(heard), "index": heard.index}
        case _:
            assert_never(heard)


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
