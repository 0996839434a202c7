"""Whose turn it is among signals of one key, while some of them wait in quarantine.

A signal waits while a record it needs cannot be read. Later ones of its key wait behind
it: a recovery must not overtake the trigger before it.
"""

from collections.abc import Mapping, Sequence

BEHIND = "it waits behind an earlier signal of its key"
_FRESH = 0
"""Stands in a queue for a signal that has no number in quarantine yet."""


class Behind(Exception):
    """An earlier signal of the same key still waits."""


class Turns:
    """The queue of each key while a batch is gone through; lives for one call.

    A delivery that settles a quarantined element may pass once it is first in its
    queue. `number` is that of the delivery in its batch.
    """

    def __init__(self, waiting: Mapping[str, Sequence[int]]) -> None:
        self._queues = {key: list(ids) for key, ids in waiting.items()}
        self._stuck: set[tuple[int, str]] = set()

    def require(self, number: int, key: str, settles: int | None) -> None:
        """Raise `Behind` if it is not the turn of this delivery."""
        queue = self._queues.get(key)
        if queue and (queue[0] != settles or (number, key) in self._stuck):
            raise Behind

    def postpone(self, number: int, key: str, settles: int | None) -> None:
        """Let a signal of this delivery wait from now on, or wait on."""
        queue = self._queues.setdefault(key, [])
        self._stuck.add((number, key))
        if settles is None:
            queue.append(_FRESH)
        elif settles not in queue:
            queue.append(settles)

    def release(self, settles: int) -> None:
        """Let the ones behind a quarantined element have their turn."""
        for queue in self._queues.values():
            if settles in queue:
                queue.remove(settles)
