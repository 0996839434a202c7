"""Whether commits succeed: a full disk answers every question and takes no event.

After one that failed, a small write that needs room of its own must succeed before
intake is ready again: nobody may have to lose an event to find out.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog

# A new table takes new blocks, a megabyte of them; rows in an old one find old room.
_TAKE_ROOM = """
CREATE TEMPORARY TABLE room ON COMMIT DROP AS SELECT generate_series(1, 30000)
"""

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Commits:
    """The outcome of the last commits of this worker."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._fail = False
        self.failed_total = 0
        """Batches that PostgreSQL did not take; their senders were told to repeat."""

    def watched(
        self, flush: Callable[[Sequence[_Item]], Sequence[_Answer]]
    ) -> Callable[[Sequence[_Item]], Sequence[_Answer]]:
        """Return `flush`, of which is noted when it fails for PostgreSQL.

        It takes nothing while the log is not the one that was last seen.
        """

        def flushed(items: Sequence[_Item]) -> Sequence[_Answer]:
            self._log.require_continued()
            try:
                answers = flush(items)
            except Unavailable:
                self._failed()
                raise
            if any(isinstance(answer, Unavailable) for answer in answers):
                self._failed()  # of a part of the batch
            return answers

        return flushed

    def _failed(self) -> None:
        self.failed_total += 1
        self._fail = True

    def prove(self) -> None:
        """Show that PostgreSQL takes what is written, where it did not; blocks.

        Raises `Unavailable` while it does not.
        """
        if self._fail:
            with self._log.transaction() as cursor:
                cursor.execute(_TAKE_ROOM)
            self._fail = False
