"""The commands on changes: the body of each request, one class for each verb."""

from collections.abc import Mapping
from typing import ClassVar, TypeVar, get_args

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Instant, Reason, Title, Words
from shared.domain.commands.incident import CommandBody
from shared.domain.events.change import ChangeRelation
from shared.domain.identifiers import IncidentRef, ProblemRef
from shared.domain.policy.clause import Name


class RequestChange(CommandBody):
    """Request a change."""

    verb: ClassVar[str] = "request"
    title: Title
    team: Name | None = None
    """The team that is to implement it. Default: the desk."""
    service: Name | None = None
    """Default: that of the incident, or of the problem."""
    incident: IncidentRef | None = None
    """The incident that led to it; the two are linked."""
    problem: ProblemRef | None = None
    """The problem it is to solve."""


_Link = TypeVar("_Link", bound="LinkChange | UnlinkChange")


def _require_one_target(link: _Link) -> _Link:
    if (link.incident is None) == (link.problem is None):
        raise PydanticCustomError("target", "give an `incident` or a `problem`")
    return link


class LinkChange(CommandBody):
    """Link the change to an incident or a problem.

    The incident led to it (`change`), was caused by it (`caused_by`) or is `related`;
    the problem is to be solved by it.
    """

    verb: ClassVar[str] = "link"
    incident: IncidentRef | None = None
    problem: ProblemRef | None = None
    relation: ChangeRelation = "change"
    """The relation of the incident to the change."""

    _one_target = model_validator(mode="after")(_require_one_target)


class UnlinkChange(CommandBody):
    """Remove a link of the change to an incident or a problem."""

    verb: ClassVar[str] = "unlink"
    incident: IncidentRef | None = None
    problem: ProblemRef | None = None
    relation: ChangeRelation = "change"

    _one_target = model_validator(mode="after")(_require_one_target)


class AssignChange(CommandBody):
    """Assign the change to another team."""

    verb: ClassVar[str] = "assign"
    team: Name


class PlanChange(CommandBody):
    """Plan the change: set its time, or a new one."""

    verb: ClassVar[str] = "plan"
    planned_for: Instant


class ImplementChange(CommandBody):
    """Record that the change was implemented."""

    verb: ClassVar[str] = "implement"
    note: Words | None = None


class CancelChange(CommandBody):
    """Cancel the change: it will not be implemented."""

    verb: ClassVar[str] = "cancel"
    reason: Reason


ChangeCommand = (
    RequestChange
    | LinkChange
    | UnlinkChange
    | AssignChange
    | PlanChange
    | ImplementChange
    | CancelChange
)

BODIES: Mapping[str, type[ChangeCommand]] = {
    kind.verb: kind for kind in get_args(ChangeCommand)
}
"""The body of each verb."""
