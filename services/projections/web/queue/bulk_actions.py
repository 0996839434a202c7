"""The commands that the queue offers for several incidents, and their forms.

They are those of one incident, some with fewer fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.projections.web.actions import Action
from services.projections.web.incident.actions import ACTIONS
from services.projections.web.incident.actions import offered as offered_of

_OF_ONE: Mapping[str, Action] = {action.verb: action for action in ACTIONS}


def _for_several(verb: str, *names: str) -> Action:
    """Return the action of one incident without a key, and with these fields alone.

    It is one command for each: none follows.
    """
    action = _OF_ONE[verb]
    fields = tuple(f for f in action.fields if not names or f.name in names)
    return replace(action, key=None, fields=fields, then=())


BULK_ACTIONS = (
    _for_several("acknowledge"),
    _for_several("assign", "team", "assignee"),
    _for_several("accept"),
    _for_several("escalate"),
    _for_several("inform"),
    _for_several("pause"),
    _for_several("resume"),
    _for_several("snooze"),
    _for_several("wake"),
    _for_several("resolve", "note"),
    _for_several("close"),
    _for_several("cancel"),
    _for_several("merge"),
)
ROW_ACTIONS = (_OF_ONE["acknowledge"], _OF_ONE["accept"])
"""What can be done from a row, without a form."""


def with_teams(action: Action, teams: Sequence[str]) -> Action:
    """Return an action whose field for a team offers these."""
    fields = tuple(
        replace(field, choices=tuple(teams)) if field.name == "team" else field
        for field in action.fields
    )
    return replace(action, fields=fields)


def offered(possible: Sequence[str]) -> Sequence[Action]:
    """Return what a row offers: of its commands those that are possible, as it says."""
    return offered_of(ROW_ACTIONS, possible)
