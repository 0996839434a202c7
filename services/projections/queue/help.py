"""What looking for help makes of an incident's row: its level, its team, who took it.

Only the escalation stream is asked, so a row says the same whichever was heard first.
"""

from operator import itemgetter

from services.projections.queue.row import LOWEST, Changes, QueueRow
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationReturned,
)
from shared.eventlog.entry import Entry


def helped(row: QueueRow, entry: Entry) -> Changes:
    """Return what an entry changes; nothing where it is of a cycle before."""
    match entry.event:
        case (Escalated() | EscalationReturned()) as event if (
            event.cycle >= row.help_cycle
        ):
            return {
                "help_cycle": event.cycle,
                "help_level": event.to_level,
                "help_team": event.team,
                "help_team_position": entry.position,
                "help_accepted_by": None,
            }
        case EscalationAccepted() as event if event.cycle == row.help_cycle:
            return {"help_accepted_by": event.person}
        case EscalationAccepted() as event if event.cycle > row.help_cycle:
            return {
                "help_cycle": event.cycle,
                "help_level": event.level,
                "help_team": None,
                "help_accepted_by": event.person,
            }
        case _:
            return {}


def shown(row: QueueRow) -> Changes:
    """Return the fields that are made of what the streams said each by itself.

    What they said of another cycle than the incident's is not shown.
    """
    helped_now = row.help_cycle == row.cycle
    team = row.own_team
    if helped_now and row.help_team and row.help_team_position > row.own_team_position:
        team = row.help_team
    return {
        "team": team,
        "level": row.help_level if helped_now else LOWEST,
        "accepted_by": row.help_accepted_by if helped_now else None,
        **_due(row),
    }


def _due(row: QueueRow) -> Changes:
    if row.sla_cycle != row.cycle:
        nothing = {"due_at": None, "due_target": None, "due_hours": None}
        return {**nothing, "breached": False}
    promises = (
        ("tto", row.tto_due_at, row.tto_hours),
        ("ttr", row.ttr_due_at, row.ttr_hours),
    )
    due = [(at, target, hours) for target, at, hours in promises if at is not None]
    due_at, target, hours = min(due, default=(None, None, None), key=itemgetter(0))
    return {
        "due_at": due_at,
        "due_target": target,
        "due_hours": hours,
        "breached": row.tto_breached or row.ttr_breached,
    }
