"""The commands on problems: the body of each request, one class for each verb."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeVar, get_args

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


_Link = TypeVar("_Link", bound="LinkProblem | UnlinkProblem")


def _require_one_target(link: _Link) -> _Link:
    if (link.incident is None) == (link.change is None):
        raise PydanticCustomError("target", "give an `incident` or a `change`")
    return link


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

    _one_target = model_validator(mode="after")(_require_one_target)


class UnlinkProblem(CommandBody):
    """Remove a link of the problem to an incident or a change."""

    verb: ClassVar[str] = "unlink"
    incident: IncidentRef | None = None
    change: ChangeRef | None = None
    relation: ProblemRelation = "problem"

    _one_target = model_validator(mode="after")(_require_one_target)


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


ProblemCommand = (
    IdentifyProblem
    | LinkProblem
    | UnlinkProblem
    | AssignProblem
    | PublishWorkaround
    | DiagnoseProblem
    | ResolveProblem
)

BODIES: Mapping[str, type[ProblemCommand]] = {
    kind.verb: kind for kind in get_args(ProblemCommand)
}
"""The body of each verb."""
