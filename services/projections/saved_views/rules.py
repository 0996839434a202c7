"""What a saved view is, who sees it, and who may change it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from shared.domain.policy.teams import QueueOrder, Team
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope

Audience = Literal["private", "team", "everybody"]

VIEWS_MAX = 100
"""The maximum number of views of one person."""
NAME_MAX = 80
Column = Literal[
    "priority",
    "ref",
    "title",
    "status",
    "service",
    "client",
    "category",
    "team",
    "level",
    "assignee",
    "reporter",
    "due_at",
    "reported_at",
    "updated_at",
    "repeats",
]
"""The columns that a view may show: fields of a row of the queue."""
COLUMNS: tuple[Column, ...] = get_args(Column)
USUAL: tuple[Column, ...] = ("priority", "title", "status", "team", "due_at")
"""The columns of a view that names none."""
MANAGERS: tuple[Scope, ...] = ("manager", "admin")


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view; `team` is whom it is shared with, `owner` is None once forgotten."""

    view_id: str
    owner: str | None
    name: str
    audience: Audience
    team: str | None
    queue: str
    filter: str
    sort: QueueOrder | None
    columns: tuple[Column, ...]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: the person, the teams they are members of, and what they may do."""

    person: str
    teams: frozenset[str]
    sees_everything: bool
    """Whether they see all records: filters of others may name what they may not."""
    manages: bool
    """Whether they may change what others shared."""


def teams_of(person: str, teams: Mapping[str, Team]) -> frozenset[str]:
    """Return the teams of which a person is a member or the manager."""
    return frozenset(
        name
        for name, team in teams.items()
        if person == team.manager or person in team.members
    )


def may_see(view: SavedView, viewer: Viewer) -> bool:
    """Return whether a view is theirs or shared with them; managers see all shared."""
    if view.owner == viewer.person:
        return True
    match view.audience:
        case "private":
            return False
        case "team":
            return viewer.manages or view.team in viewer.teams
        case "everybody":
            return viewer.sees_everything


def may_change(view: SavedView, viewer: Viewer) -> bool:
    """Return whether a view is theirs, or shared and they are a manager."""
    return view.owner == viewer.person or (
        view.audience != "private" and viewer.manages
    )


def require_change(view: SavedView, viewer: Viewer) -> None:
    """Raise `Refused` unless they may change a view."""
    if not may_change(view, viewer):
        raise Refused(
            "this view belongs to somebody else: save it under a name of your own, or "
            "ask its owner or a manager to change it",
            "role",
        )


def require_audience(
    audience: Audience, team: str | None, viewer: Viewer, teams: Mapping[str, Team]
) -> None:
    """Raise `Refused` if they may not share with this audience."""
    if (team is not None) != (audience == "team"):
        raise Refused("give `team` if the audience is `team`, and only then", "invalid")
    if team is None:
        return
    if team not in teams:
        raise Refused(f"there is no team {team}: see the policy", "invalid")
    if team not in viewer.teams and not viewer.manages:
        raise Refused(f"only members of {team} and managers share with it", "role")
