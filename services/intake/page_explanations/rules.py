"""Who may ask about the pages of somebody else, and when it is recorded. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.commands.page_explanation import ExplainPages
from shared.domain.events.event import Actor
from shared.domain.events.on_call_history import OnCallExplained
from shared.domain.limits import Within
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from shared.security.team_rights import manages, teams_of

REPEATS = timedelta(minutes=15)
"""The same question about the same incident within this time is recorded once."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and with which rights for the incident."""

    by: Actor
    at: datetime
    rights: Mapping[Scope, Within]
    policy: Policy


def explained(
    command: ExplainPages, incident: str, history: Sequence[OnCallExplained], who: Asker
) -> Sequence[OnCallExplained]:
    """Return the event of a question; none for a repeat. Raises `Refused`."""
    kind, _, me = who.by.partition(":")
    if kind == "person" and me == command.person:
        raise Refused("this is about yourself: ask without a reason", "invalid")
    is_manager = manages(
        who.policy, me, who.rights, teams_of(who.policy, command.person)
    )
    if not is_manager and "auditor" not in who.rights:
        raise Refused(
            "only a manager of their team or an auditor may ask about a colleague: ask "
            "them, or one of those",
            "role",
        )
    if any(_is_same(each, incident, who) for each in history):
        return ()
    return (
        OnCallExplained(
            at=who.at,
            by=who.by,
            whose=who.by,
            person=command.person,
            incident=incident,
            reason=command.reason,
        ),
    )


def _is_same(event: OnCallExplained, incident: str, who: Asker) -> bool:
    is_recent = event.at > who.at - REPEATS
    return is_recent and (event.by, event.incident) == (who.by, incident)
