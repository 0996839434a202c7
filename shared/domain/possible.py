"""What follows from events before the first that cannot have happened after the others.

For those who say something about many records, or must not fall silent: one event that
makes no sense concerns its own record only.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Event = TypeVar("Event")
State = TypeVar("State")


def while_possible(
    replay: Callable[[Sequence[Event]], State], history: Iterable[Event]
) -> State:
    """Return what `replay` makes of the longest beginning of a history that it takes.

    It raises for a history with an event that cannot have happened, whatever follows.
    """
    events = list(history)

    def fails_with(count: int) -> bool:
        try:
            replay(events[:count])
        except Exception:  # noqa: BLE001 # a value that no rule expects raises anything
            return True
        return False

    if not fails_with(len(events)):
        return replay(events)
    return replay(events[: bisect_left(range(len(events)), True, key=fails_with) - 1])
