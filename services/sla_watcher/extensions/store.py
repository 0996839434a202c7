"""Looks up what is cited as evidence: events about the incident in the log.

They are looked up when somebody cites them. The case does not collect their positions:
it is read and written with each event, and an incident may have ten thousand. What the
watcher was told to skip is evidence as well: the log holds it.
"""

from typing import Any

from shared.database.cursors import Cursors
from shared.domain.commands.sla import AttributeBreach
from shared.domain.events.incident import (
    IncidentContacted,
    IncidentInformed,
    IncidentPaused,
    IncidentResumed,
)
from shared.domain.identifiers import incident_stream
from shared.domain.refusal import Refused
from shared.messaging.commands import CommandRequest

_KINDS = [
    kind.model_fields["type"].default
    for kind in (
        IncidentContacted,
        IncidentInformed,
        IncidentPaused,
        IncidentResumed,
    )
]
_FOUND = """
SELECT notification_id FROM log.events
WHERE notification_id = ANY(%s) AND originator_id = %s AND topic = ANY(%s)
"""


def require_evidence(cursor: Cursors, request: CommandRequest[Any]) -> None:
    """Raise `Refused` if a position is not a contact, question or message of it."""
    match request.body:
        case AttributeBreach(evidence=cited) if cited:
            incident = request.incident or ""
            given = (list(cited), incident_stream(incident), _KINDS)
            found = {position for (position,) in cursor.execute(_FOUND, given)}
            if unknown := sorted(set(cited) - found):
                raise Refused(
                    f"position {unknown[0]} of the log is not a contact, question or "
                    f"message about {incident}: see its timeline",
                    "invalid",
                )
        case _:
            pass
