"""What people may ask of a change: the body of each request, one class a verb."""

from collections.abc import Mapping
from typing import ClassVar, Self, get_args

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Instant, Reason, Title, Words
from shared.domain.commands.incident import CommandBody
from shared.domain.events.change import ChangeRelation
from shared.domain.identifiers import IncidentRef, ProblemRef
from shared.domain.policy.clause import Name


class RequestChange(CommandBody):
    """Ask for something to be changed."""

    verb: ClassVar[str] = "request"
    title: Title
    team: Name | None = None
    """Who is to make it. Left out: the desk."""
    service: Name | None = None
    """Left out: that of the incident, or of the problem."""
    incident: IncidentRef | None = None
    """The incident it came of; the two are linked."""
    problem: ProblemRef | None = None
    """The problem it is to solve."""


class LinkChange(CommandBody):
    """It came of an incident (`change`), caused it (`caused_by`) or is `related`.

    Or it is to solve a problem.
    """

    verb: ClassVar[str] = "link"
    incident: IncidentRef | None = None
    problem: ProblemRef | None = None
    relation: ChangeRelation = "change"
    """Of an incident: what it has to do with the change."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.incident is None) == (self.problem is None):
            raise PydanticCustomError("target", "give an `incident` or a `problem`")
        return self


class UnlinkChange(CommandBody):
    """A link to an incident or a problem was a mistake."""

    verb: ClassVar[str] = "unlink"
    incident: IncidentRef | None = None
    problem: ProblemRef | None = None
    relation: ChangeRelation = "change"

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.incident is None) == (self.problem is None):
            raise PydanticCustomError("target", "give an `incident` or a `problem`")
        return self


class AssignChange(CommandBody):
    """Let another team make it."""

    verb: ClassVar[str] = "assign"
    team: Name


class PlanChange(CommandBody):
    """Give it an instant, or another one."""

    verb: ClassVar[str] = "plan"
    planned_for: Instant


class ImplementChange(CommandBody):
    """It was made."""

    verb: ClassVar[str] = "implement"
    note: Words | None = None


class CancelChange(CommandBody):
    """It will not be made."""

    verb: ClassVar[str] = "cancel"
    reason: Reason


ChangeWish = (
    RequestChange
    | LinkChange
    | UnlinkChange
    | AssignChange
    | PlanChange
    | ImplementChange
    | CancelChange
)

BODIES: Mapping[str, type[ChangeWish]] = {
    kind.verb: kind for kind in get_args(ChangeWish)
}
"""The body of each verb."""
