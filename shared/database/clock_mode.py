"""The clock mode of a log: PostgreSQL's clock, or a lever in demos and tests.

The migration of its database chooses it once, while the log is empty.
"""

from typing import Literal

from shared.database.cursors import Cursors

ClockMode = Literal["server", "lever"]

CHOICE = "permanence.clock"
"""The session parameter that passes the mode of an empty log to a migration."""

_MODE = "SELECT mode FROM log.clock"


class LeverRefused(Exception):
    """A lever is set for a log that uses PostgreSQL's clock."""

    def __init__(self) -> None:
        super().__init__(
            "PERMANENCE_CLOCK_LEVER is set, but this log goes by PostgreSQL's clock: "
            "unset it, or make a database of its own for demos and tests with "
            "`permanence migrate --clock lever`"
        )


def clock_mode(cursor: Cursors) -> ClockMode:
    """Return the mode of the log."""
    row = cursor.execute(_MODE).fetchone()
    if row is None:
        raise LookupError("log.clock is empty: this database was not migrated by us")
    mode: ClockMode = row[0]
    return mode
