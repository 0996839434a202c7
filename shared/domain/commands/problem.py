"""What people may ask of a problem: the body of each request, one class a verb."""

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
    """Take the cause of incidents on record."""

    verb: ClassVar[str] = "identify"
    title: Title
    service: Name | None = None
    """Left out: that of the incident."""
    incident: IncidentRef | None = None
    """The incident it was found by; the two are linked."""
    team: Name | None = None
    """Who looks for the cause. Left out: Problem Management."""
    beside: Annotated[tuple[ProblemRef, ...], Field(max_length=BESIDE_MAX)] | None = (
        None
    )
    """All problems the incident is known to have: with another it is refused."""


class LinkProblem(CommandBody):
    """An incident has this cause too, or has to do with it (`related`).

    Or a change is to remove the cause.
    """

    verb: ClassVar[str] = "link"
    incident: IncidentRef | None = None
    change: ChangeRef | None = None
    relation: ProblemRelation = "problem"
    """Of an incident: what it has to do with the problem."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.incident is None) == (self.change is None):
            raise PydanticCustomError("target", "give an `incident` or a `change`")
        return self


class UnlinkProblem(CommandBody):
    """A link to an incident or a change was a mistake."""

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
    """Let another team look for the cause."""

    verb: ClassVar[str] = "assign"
    team: Name


class PublishWorkaround(CommandBody):
    """Say what helps until the cause is gone."""

    verb: ClassVar[str] = "workaround"
    text: Words


class DiagnoseProblem(CommandBody):
    """Say what the cause is; with a workaround it is a known error."""

    verb: ClassVar[str] = "diagnose"
    cause: Words


class ResolveProblem(CommandBody):
    """The cause is gone."""

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
