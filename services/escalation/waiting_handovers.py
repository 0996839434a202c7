"""Keeps incidents whose hand-over may wait for a problem of their signature.

Rows follow from what the log says of breaches and links, in its order, so that the same
hand-overs are found in whatever batches it is read. Whether one waits is for its case
to say: a row may be one too many, and none is missing.
"""

from collections.abc import Sequence

from services.escalation.linked_problems import SIGNED_MAX, signatures_of
from shared.database.cursors import Cursors
from shared.domain import events
from shared.eventlog.log import EventLog

ALIKE_MAX = 1_000
"""Hand-overs to which a problem is proposed at once: those of the newest incidents."""

_WAIT = """
INSERT INTO escalation.waiting_handovers (incident)
SELECT incident FROM escalation.breaches AS broken
WHERE incident = %s AND NOT EXISTS (
    SELECT FROM escalation.problem_incidents AS held
    WHERE held.incident = broken.incident AND unlinked_by IS NULL)
ON CONFLICT DO NOTHING
"""
_ANSWERED = "DELETE FROM escalation.waiting_handovers WHERE incident = %s"
_IS_RESOLVED = """
SELECT FROM escalation.problems WHERE problem = %s AND resolved_by IS NOT NULL
"""
_UNSIGNED = """
SELECT incident FROM escalation.waiting_handovers WHERE NOT signed
ORDER BY incident LIMIT %s
"""
_SIGN = """
UPDATE escalation.waiting_handovers AS held
SET signature = looked_up.signature, signed = true
FROM unnest(%s::text[], %s::bytea[]) AS looked_up (incident, signature)
WHERE held.incident = looked_up.incident
"""
_ALIKE = """
SELECT incident FROM escalation.waiting_handovers WHERE signature = %s
ORDER BY length(incident) DESC, incident DESC LIMIT %s
"""


def note(cursor: Cursors, event: events.AnyEvent) -> None:
    """Remember what an event says; the links it records are stored already."""
    match event:
        case (
            events.SlaBreached(target="ttr", incident=incident)
            | events.IncidentUnlinked(relation="problem", incident=incident)
            | events.ProblemIncidentUnlinked(relation="problem", incident=incident)
        ):
            cursor.execute(_WAIT, (incident,))
        case (
            events.IncidentLinked(relation="problem", incident=incident)
            | events.ProblemIncidentLinked(incident=incident)
            | events.ProblemIdentified(incident=str(incident))
            | events.HandoverDeclined(incident=incident)
        ):
            cursor.execute(_ANSWERED, (incident,))
        case _:
            pass


def alike(log: EventLog, cursor: Cursors, event: events.AnyEvent) -> Sequence[str]:
    """Return those of the signature of the incident that came to an open problem."""
    match event:
        case (
            events.ProblemIdentified(problem=problem, incident=str(incident))
            | events.ProblemIncidentLinked(problem=problem, incident=incident)
        ):
            return _alike(log, cursor, problem, incident)
        case _:
            return ()


def _alike(
    log: EventLog, cursor: Cursors, problem: str, incident: str
) -> Sequence[str]:
    if cursor.execute(_IS_RESOLVED, (problem,)).fetchone() is not None:
        return ()
    signature = signatures_of(log, cursor, [incident]).get(incident)
    if signature is None:
        return ()
    _sign(log, cursor)
    found = cursor.execute(_ALIKE, (signature, ALIKE_MAX))
    return [ref for (ref,) in found]


def _sign(log: EventLog, cursor: Cursors) -> None:
    """Look up the signatures of those that are new, each once."""
    while fresh := [row[0] for row in cursor.execute(_UNSIGNED, (SIGNED_MAX,))]:
        found = signatures_of(log, cursor, fresh)
        cursor.execute(_SIGN, (fresh, [found.get(each) for each in fresh]))
