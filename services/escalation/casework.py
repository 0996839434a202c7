"""The rules of the service put together with what they look up in the database."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from psycopg import Cursor
from pydantic import TypeAdapter

from services.escalation import recurrences
from services.escalation.case import Case
from services.escalation.decider import decide, next_at
from services.escalation.evolving import evolve
from services.escalation.known import Known, PolicyOf, terms_by
from services.escalation.linked import concerned, open_problems, workaround
from services.escalation.reacting import react
from services.escalation.service_breaches import crossing_at, note
from services.escalation.streams import follows, owns, stream_of
from shared.domain.events import AnyEvent
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.readers.position import Bookmark
from shared.process_manager import ProcessManager

SCHEMA = "escalation"
BOOKMARK = Bookmark(SCHEMA, "escalation", beside=("incident", "sla"))

_REST = (
    SELECT_ROWS
    + "WHERE originator_id = %s AND originator_version > %s AND recorded_at = %s "
    + "ORDER BY originator_version"
)
Cursors = Cursor[tuple[Any, ...]]


def casework(
    log: EventLog, policy_of: PolicyOf, *, webhook: bool
) -> ProcessManager[Case, Known]:
    """Return the rules; `webhook` tells whether there is a receiver of pages."""
    terms_of = terms_by(policy_of, log.continuity.drop_with)

    def known(cursor: Cursors, incidents: Sequence[str]) -> Known:
        return Known(
            policy_of,
            terms_of,
            partial(open_problems, log, cursor),
            lambda position: crossing_at(cursor, position),
            _rest_of_moment(log, cursor),
            lambda problem, position: workaround(cursor, problem, position),
            webhook,
            recurrences.completed(cursor, incidents),
        )

    def concerns(cursor: Cursors, entry: Entry) -> Sequence[str]:
        note(log, cursor, entry, policy_of)
        recurrences.note(cursor, entry, policy_of)
        return concerned(cursor, entry)

    return ProcessManager(
        schema=SCHEMA,
        react=react,
        evolve=evolve,
        decide=decide,
        next_at=next_at,
        stream_of=stream_of,
        follows=follows,
        owns=owns,
        known=known,
        adapter=TypeAdapter(Case),
        concerns=concerns,
    )


def _rest_of_moment(
    log: EventLog, cursor: Cursors
) -> Callable[[str, int, datetime], Sequence[AnyEvent]]:
    def rest(stream: str, version: int, moment: datetime) -> Sequence[AnyEvent]:
        rows = cursor.execute(_REST, (stream, version, moment), binary=True).fetchall()
        return [entry.event for entry in log.entries([Row(*row) for row in rows])]

    return rest
