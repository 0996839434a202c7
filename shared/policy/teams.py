"""Teams by the ids of their people; names and addresses are in the directory."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from shared.policy.clause import Clause
from shared.policy.names import Name, Person
from shared.policy.targets import SupportLevel


class Team(Clause):
    """People who work together, and whom to tell when they cannot."""

    level: SupportLevel | None = None
    """Support level; none: a team incidents are not escalated to."""
    members: Annotated[tuple[Person, ...], Field(min_length=1)]
    manager: Person
    skills: Mapping[Name, tuple[Person, ...]] = {}
    """Who knows a service, where not all do; another is flagged, never refused."""
    takes: tuple[Literal["incident", "problem", "change"], ...] = ("incident",)
    """The kinds of records that may be given to this team."""
