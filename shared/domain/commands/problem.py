"""The commands on problems: the body of each request, one class for each verb."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Title, Words
from shared.domain.commands.incident import CommandBody
from shared.domain.events.problem import ProblemRelation
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef
from shared.domain.policy.clause import Name

BESIDE_MAX = 1_000


class IdentifyProblem(CommandBody):
    """Identify a problem: record the cause of incidents."""

    verb: ClassVar[str] = "identify"
    title: Title
    service: Name | None = None
    """Default: that of the incident."""
    incident: IncidentRef | None = None
    """The incident that revealed it; the two are linked."""
    team: Name | None = None
    """The team that looks for the cause. Default: Problem Management."""
    beside: Annotated[tuple[ProblemRef, ...], Field(max_length=BESIDE_MAX)] | None = (
        None
    )
    """The problems of the incident known to the caller; refused if there are others."""


class LinkProblem(CommandBody):
    """Link the problem to an incident or a change.

    The incident is caused by it (`problem`) or is `related`; the change is to remove
    the cause.
    """

    verb: ClassVar[str] = "link"
    incident: IncidentRef | None = None
    change: ChangeRef | None = None
    relation: ProblemRelation = "problem"
    """The relation of the incident to the problem."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.incident is None) == (self.change is None):
            raise PydanticCustomError("target", "give an `incident` or a `change`")
        return self


class UnlinkProblem(CommandBody):
    """Remove a link of the problem to an incident or a change."""

    verb: ClassVar[str] = "unlink"
    incident: IncidentRef | None = None
    change: ChangeRef | None = None
    relation: ProblemRelation = "problem"

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.incident is None) == (self.change is None):
            raise PydanticCustomError("target", "give an `incident` or a `change`")
        return self


class AssignProblem(CommandBody):
    """Assign the problem to another team."""

    verb: ClassVar[str] = "assign"
    team: Name


class PublishWorkaround(CommandBody):
    """Publish a workaround: what helps until the cause is removed."""

    verb: ClassVar[str] = "workaround"
    text: Words


class DiagnoseProblem(CommandBody):
    """Record the cause; with a workaround the problem is a known error."""

    verb: ClassVar[str] = "diagnose"
    cause: Words


class ResolveProblem(CommandBody):
    """Resolve the problem: the cause was removed."""

    verb: ClassVar[str] = "resolve"
    note: Words | None = None


ProblemWish = (
    IdentifyProblem
    | LinkProblem
    | UnlinkProblem
    | AssignProblem
    | PublishWorkaround
    | DiagnoseProblem
    | ResolveProblem
)

BODIES: Mapping[str, type[ProblemWish]] = {
    kind.verb: kind for kind in get_args(ProblemWish)
}
"""The body of each verb."""
