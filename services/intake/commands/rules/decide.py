"""Turns a command and the current incident into events. Pure."""

from typing import assert_never

from services.intake.commands.command import (
    AcknowledgeSource,
    Command,
    Flap,
    NoteSource,
    Recover,
    Trigger,
)
from services.intake.commands.rules import (
    assignment,
    duplicates,
    links,
    monitoring,
    new_incident,
    resolution,
)
from services.intake.commands.rules.context import DecisionContext, Helper, Refused
from services.intake.commands.rules.repeats import repeated
from services.intake.commands.rules.status_table import is_to_do
from shared.domain.change import Change
from shared.domain.commands.incident import (
    Link,
    Merge,
    Open,
    Snooze,
    Split,
    Unlink,
    Unmerge,
    Wake,
)
from shared.domain.events import IncidentEvent
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.problem import Problem


def decide(  # noqa: PLR0911, PLR0913 # one return for each case
    command: Command,
    incident: Incident | None,
    *,
    other: Incident | None = None,
    record: Problem | Change | None = None,
    policy: Policy,
    policy_version: int,
    helper: Helper | None = None,
) -> list[IncidentEvent]:
    """Return the events that `command` produces, in order; empty if already done.

    `other` is the second incident: the target of a link or merge, or for unmerge the
    incident it is merged into; `record` is the target of a link to a problem or change.
    Some events may belong to the second incident's stream, or to a new stream for
    `split`. `helper` is the team or person above N1 that works on the incident. Raises
    `Refused`.
    """
    circumstances = DecisionContext(
        command, other, record, policy, policy_version, helper
    )
    wish = command.wish
    if incident is None:
        return _first(circumstances)
    if not is_to_do(wish.verb, incident):
        return repeated(wish, incident, circumstances)
    if isinstance(wish, resolution.EndWish):
        return resolution.ended(wish, incident, circumstances)
    match wish:
        case Trigger() | Recover() | Flap() | AcknowledgeSource() | NoteSource():
            return monitoring.heard(wish, incident, circumstances)
        case Link() | Unlink() | Merge() | Unmerge() | Split():
            return _tied(wish, incident, circumstances)
        case Snooze() | Wake():
            return monitoring.snoozed(wish, incident, circumstances)
        case Open():
            return []
        case _:
            return assignment.worked(wish, incident, circumstances)


def _first(circumstances: DecisionContext) -> list[IncidentEvent]:
    match circumstances.command.wish:
        case Trigger() as wish:
            return monitoring.opened(wish, circumstances)
        case Open() as wish:
            return new_incident.opened(wish, circumstances)
        case wish:
            ref = circumstances.command.incident
            raise Refused(
                f"there is no incident {ref} to {wish.verb}", "unknown_incident"
            )


def _tied(
    wish: Link | Unlink | Merge | Unmerge | Split,
    incident: Incident,
    circumstances: DecisionContext,
) -> list[IncidentEvent]:
    match wish:
        case Link():
            return links.linked(wish, incident, circumstances)
        case Unlink():
            return links.unlinked(wish, incident, circumstances)
        case Merge():
            return duplicates.merged(wish, incident, circumstances)
        case Unmerge():
            return duplicates.unmerged(incident, circumstances)
        case Split():
            return duplicates.split(wish, incident, circumstances)
        case _:
            assert_never(wish)
