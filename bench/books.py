"""What a desk has recorded, for comparison with the answers its senders got."""

from dataclasses import dataclass
from time import monotonic, sleep

from shared.eventlog.log import EventLog

STILL_SECONDS = 0.5
"""If nothing was recorded for this long, nothing more will be."""

# A repeat without news is counted on its alert's row, until an event of the
# incident carries the number.
_TOLD = """
SELECT count(*) FILTER (WHERE topic = 'incident.opened'),
       coalesce(sum(log.said(state, 'repeats')::bigint), 0)
FROM log.events WHERE topic IN ('incident.opened', 'incident.signalled')
"""
_COUNTED = "SELECT coalesce(sum(repeats), 0) FROM intake.signal_keys"


@dataclass(frozen=True)
class Books:
    """Incidents opened, and signals recorded: those that opened one, and repeats."""

    incidents: int
    signals: int

    def since(self, before: "Books") -> "Books":
        """Return what was recorded after `before`."""
        return Books(self.incidents - before.incidents, self.signals - before.signals)


def books(log: EventLog) -> Books:
    """Return what is recorded now."""
    with log.transaction() as cursor:
        told = cursor.execute(_TOLD).fetchone()
        counted = cursor.execute(_COUNTED).fetchone()
    assert told
    assert counted
    return Books(told[0], told[0] + int(told[1]) + int(counted[0]))


def demand_nothing_lost(kept: Books, accepted: int, under_way: int) -> None:
    """Fail if less is recorded than was answered, or more than was sent."""
    assert accepted <= kept.signals <= accepted + under_way, (
        f"{accepted} signals were answered 2xx, {kept.signals} are on record: "
        "this run is void"
    )


def still(log: EventLog) -> Books:
    """Return what is recorded once the signals in progress have been processed."""
    held, since = books(log), monotonic()
    while monotonic() - since < STILL_SECONDS:
        sleep(STILL_SECONDS / 10)
        now = books(log)
        if now != held:
            held, since = now, monotonic()
    return held
