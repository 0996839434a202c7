"""Where records belong now: their client, service and team, replayed from the log.

Rights are limited to clients, services and teams. Who decides whether somebody may see
or change a record asks here, so that the answer is that of the newest event, and the
same in every service.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from operator import attrgetter

import structlog

from shared.database.cursors import Cursors
from shared.domain import change, events, problem
from shared.domain.identifiers import escalation_stream, incident_stream
from shared.domain.limits import Place
from shared.domain.record import is_change_event, is_problem_event, kind_of, stream_of
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

_log = structlog.get_logger(__name__)


def places(log: EventLog, cursor: Cursors, refs: Iterable[str]) -> Mapping[str, Place]:
    """Return the place of each record; those that do not exist are left out.

    Also those with an event that cannot be read: it may have moved the record, so
    nobody with limits sees it. Personal words are not needed, and not decrypted.
    """
    streams = {ref: _streams(ref) for ref in refs}
    rows = log.stored_histories(cursor, list(chain.from_iterable(streams.values())))
    by_stream = {
        stream: list(stored)
        for stream, stored in groupby(rows, key=attrgetter("stream"))
    }
    found: dict[str, Place] = {}
    for ref, names in streams.items():
        stored = [row for name in names for row in by_stream.get(name, ())]
        entries, unreadable = log.without_words(stored)
        for row in unreadable:
            _log.warning("place.unknown", stream=row.stream, position=row.position)
        place = None if unreadable else place_of(entries)
        if place is not None:
            found[ref] = place
    return found


def place_of(history: Iterable[Entry]) -> Place | None:
    """Return the place of the record with these entries, in any order of its streams.

    None if none of them opens an incident, a problem or a change.
    """
    entries = sorted(history, key=attrgetter("position"))
    first = next((each.event for each in entries), None)
    if first is None:
        return None
    if is_problem_event(first):
        found = problem.replay(e.event for e in entries if is_problem_event(e.event))
        return Place(None, found.service, found.team) if found else None
    if is_change_event(first):
        made = change.replay(e.event for e in entries if is_change_event(e.event))
        return Place(None, made.service, made.team) if made else None
    return _incident_place(entries)


def _streams(ref: str) -> Sequence[str]:
    if kind_of(ref) == "incident":
        return [incident_stream(ref), escalation_stream(ref)]
    return [stream_of(ref)]


def _incident_place(  # one case for each event
    entries: Sequence[Entry],
) -> Place | None:
    """Return the place of an incident; its team is that of the newest assignment.

    An escalation assigns it too, until it is reopened.
    """
    client: str | None = None
    service = own_team = help_team = None
    cycle, help_cycle, is_open = 1, 0, False
    for entry in entries:
        match entry.event:
            case events.IncidentOpened() as opened:
                client, service, own_team = opened.client, opened.service, opened.team
                is_open = True
            case events.IncidentClassified() as classified:
                client, service = classified.client, classified.service
            case events.IncidentAssigned(team=team):
                own_team, help_team = team, None
            case events.IncidentReopened(cycle=new):
                cycle = new
            case (
                events.Escalated(cycle=of, team=team)
                | events.EscalationReturned(cycle=of, team=team)
            ) if of >= help_cycle:
                help_cycle, help_team = of, team
            case events.EscalationAccepted(cycle=of) if of > help_cycle:
                help_cycle, help_team = of, None
            case _:
                pass
    if not is_open:
        return None
    is_escalated = help_cycle == cycle and help_team is not None
    return Place(client, service, help_team if is_escalated else own_team)
