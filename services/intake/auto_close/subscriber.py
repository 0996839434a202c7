"""Keeps the table of silences up to date with the event log."""

from collections.abc import Sequence

from services.intake.auto_close.rules import silence
from services.intake.auto_close.store import drop, keep, known
from shared.database.cursors import Cursors
from shared.domain.events.incident import IncidentResolved
from shared.domain.identifiers import about, escalation_stream, incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.parked_commands import unskipped
from shared.eventlog.readers.position import Bookmark

BOOKMARK = Bookmark("intake", "closing")


class Silences:
    """Keeps the table of silences up to date with the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._policies = PolicyVersions(log)

    def apply(self, cursor: Cursors, entries: Sequence[Entry]) -> None:
        """Apply `entries` inside the reader's transaction.

        A silence is evaluated from the whole history of its incident, so an event that
        is read late or twice changes nothing.
        """
        touched = {ref for entry in entries if (ref := about(entry.stream))}
        begun = {
            entry.event.incident
            for entry in entries
            if isinstance(entry.event, IncidentResolved)
        }
        concerned = begun | known(cursor, touched - begun)
        if not concerned:
            return
        histories = self._histories(cursor, concerned)
        found = {
            ref: silence(
                histories.get(incident_stream(ref), []),
                histories.get(escalation_stream(ref), []),
                self._policies,
            )
            for ref in concerned
        }
        drop(cursor, [ref for ref, each in found.items() if each is None])
        keep(cursor, [each for each in found.values() if each is not None])

    def _histories(self, cursor: Cursors, refs: set[str]) -> dict[str, list[Entry]]:
        streams = [stream(ref) for ref in sorted(refs) for stream in _STREAMS]
        found: dict[str, list[Entry]] = {}
        for entry in unskipped(self._log, cursor, BOOKMARK, streams):
            found.setdefault(entry.stream, []).append(entry)
        return found


_STREAMS = (incident_stream, escalation_stream)
