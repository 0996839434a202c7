"""The open incidents that a hand-off notice lists: references, no words of people."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.database.cursors import Cursors
from shared.domain.events import is_sla_event
from shared.domain.identifiers import sla_stream
from shared.domain.policy.document import Policy
from shared.domain.possible import while_possible
from shared.domain.sla import replay_in_reach
from shared.eventlog.entry import Entry
from shared.eventlog.histories import readable
from shared.eventlog.log import EventLog
from shared.i18n.on_call_notices import IncidentLine

LISTED_MAX = 20
"""The maximum number of incidents in one mail: the most urgent ones."""
_OPEN = """
SELECT incident, state ->> 'priority', state ->> 'service', (state ->> 'cycle')::int,
       count(*) OVER ()
FROM escalation.cases
WHERE at_work_team IS NOT NULL AND (%(teams)s::text[] IS NULL
                                    OR at_work_team = ANY(%(teams)s))
ORDER BY state ->> 'priority', length(incident), incident LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    """The most urgent open incidents, and how many more there are."""

    incidents: tuple[IncidentLine, ...]
    more: int | None


def open_incidents(
    log: EventLog,
    cursor: Cursors,
    policy: Policy,
    schedules: Collection[str],
    language: str,
) -> OpenIncidents:
    """Return the open incidents of the teams that use some schedules.

    If no team names them, they are on call for every team.
    """
    teams = [name for name, team in policy.teams.items() if team.schedule in schedules]
    given = {"teams": teams or None, "most": LISTED_MAX}
    rows = cursor.execute(_OPEN, given).fetchall()
    promised = readable(log, cursor, [sla_stream(row[0]) for row in rows])
    lines = []
    for ref, priority, service, cycle, _ in rows:
        names = policy.service(service).name
        name = names.get(language) or next(iter(names.values()))
        due_at = _due_at(promised.get(sla_stream(ref), ()), cycle)
        lines.append(IncidentLine(ref, priority, name, due_at))
    count = rows[0][4] if rows else 0
    return OpenIncidents(tuple(lines), count - len(lines) or None)


def _due_at(history: Sequence[Entry], cycle: int) -> datetime | None:
    """Return when a running promise to resolve is due; None if that is not known."""
    clocks = while_possible(
        replay_in_reach,
        ((e.event, e.recorded_at) for e in history if is_sla_event(e.event)),
    )
    due = [
        clock.due_at
        for clock in clocks
        if (clock.name.target, clock.name.cycle) == ("ttr", cycle)
        and clock.ended_at is None
    ]
    return due[-1] if due else None
