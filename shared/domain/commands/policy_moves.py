"""Moving live promises to another version of the policy: what is asked and answered.

A page at a time, in the order of references, by whoever asks: it can be stopped after
any page, and asked again from the beginning. Each incident is moved once an operation.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.domain.bounded_text import Reason
from shared.domain.commands.incident import CommandBody
from shared.domain.events.sla import Target
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Name

PAGE_MAX = 200
PAGE_DEFAULT = 50
"""Incidents of one page: each is a transaction of its own."""
VERSION_MAX = 2**31 - 1

Version = Annotated[int, Field(ge=1, le=VERSION_MAX)]


class MoveScope(CommandBody):
    """Which incidents: those at work on whose promises are of another version."""

    to: Version
    """The version of the policy their promises are to be of."""
    contract: Name | None = None
    """Only those this contract promises something about."""
    service: Name | None = None
    """Only those of this service."""
    incident: IncidentRef | None = None
    """Only this one."""
    after: IncidentRef | None = None
    """`next_after` of the page before."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT


class PreviewMove(MoveScope):
    """Show what moving promises to another version of the policy would change."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "preview_move"


class MovePromises(MoveScope):
    """Move promises to another version of the policy, a page of incidents at a time."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "move"
    operation: Name
    """What the move is called: with it, it is gone on with, and looked at."""
    reason: Reason


class LookAtMove(CommandBody):
    """Show how far a move is."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "look_at_move"
    operation: Name


MoveWish = PreviewMove | MovePromises | LookAtMove

BODIES: Mapping[str, type[MoveWish]] = {kind.verb: kind for kind in get_args(MoveWish)}
"""The body of each verb."""

Change = Literal["kept", "retargeted", "cancelled", "armed", "stays_breached"]


class _Told(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True
    )


class MovedPromise(_Told):
    """A promise before and after; what it was is absent where it was not there."""

    target: Target
    cycle: int
    round: int
    change: Change
    """`stays_breached`: it was broken, and that stays."""
    was_contract: str | None = None
    contract: str | None = None
    was_seconds: int | None = None
    seconds: int | None = None
    """The target, in working time of its calendar."""
    was_due_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    """None where nothing is due: it stands, or is over."""
    breached_at_once: bool = False
    """More time has passed than the other version promises."""


class MovedIncident(_Told):
    """An incident and its promises before and after."""

    incident: IncidentRef
    was_policy: int
    promises: tuple[MovedPromise, ...]
    positions: tuple[int, ...] = ()
    """Of the events in the log; none in a preview."""


class MovedPage(_Told):
    """A page of incidents in order of their references."""

    items: tuple[MovedIncident, ...]
    next_after: IncidentRef | None = None
    """Where the next page begins; none at the end."""


class MoveSeen(_Told):
    """How far a move is."""

    operation: str
    to: int
    by: str
    reason: str
    contract: str | None = None
    service: str | None = None
    moved: int
    """Incidents it has moved."""
    left: int
    """Incidents it is for and has not moved."""
    first_moved_at: AwareDatetime
    last_moved_at: AwareDatetime
