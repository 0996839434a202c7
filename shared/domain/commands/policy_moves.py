"""The commands that move running SLA targets to another policy version.

The caller proceeds in pages, in the order of references: it can stop after any page and
start again from the beginning. An operation moves each incident once.
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
"""Incidents on one page; each is moved in its own transaction."""
VERSION_MAX = 2**31 - 1

Version = Annotated[int, Field(ge=1, le=VERSION_MAX)]


class MoveScope(CommandBody):
    """Selects active incidents whose SLA targets are of another policy version."""

    to: Version
    """The policy version to move the SLA targets to."""
    contract: Name | None = None
    """Only incidents with SLA targets of this contract."""
    service: Name | None = None
    """Only incidents of this service."""
    incident: IncidentRef | None = None
    """Only this incident."""
    after: IncidentRef | None = None
    """The `next_after` of the previous page."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT


class PreviewMove(MoveScope):
    """Show what moving SLA targets to another policy version would change."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "preview_move"


class MovePromises(MoveScope):
    """Move SLA targets to another policy version, one page of incidents at a time."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "move"
    sent_once: ClassVar[bool] = True
    operation: Name
    """The name of the move; use it to continue the move and to see its progress."""
    reason: Reason


class LookAtMove(CommandBody):
    """Show the progress of a move."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "look_at_move"
    operation: Name


MoveCommand = PreviewMove | MovePromises | LookAtMove

BODIES: Mapping[str, type[MoveCommand]] = {
    kind.verb: kind for kind in get_args(MoveCommand)
}
"""The body of each verb."""

Change = Literal["kept", "retargeted", "cancelled", "armed", "stays_breached"]


class _Answer(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True
    )


class MovedPromise(_Answer):
    """An SLA target before and after; the old values are absent if it is new."""

    target: Target
    cycle: int
    round: int
    change: Change
    """`stays_breached`: it was breached before, and stays so."""
    was_contract: str | None = None
    contract: str | None = None
    was_seconds: int | None = None
    seconds: int | None = None
    """The target, in working time of its calendar."""
    was_due_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    """Null if nothing is due: the clock is paused or has ended."""
    breached_at_once: bool = False
    """Whether more time has passed than the other version allows."""


class MovedIncident(_Answer):
    """An incident and its SLA targets before and after."""

    incident: IncidentRef
    was_policy: int
    promises: tuple[MovedPromise, ...]
    positions: tuple[int, ...] = ()
    """Positions of the events in the log; empty in a preview."""


class MovedPage(_Answer):
    """A page of incidents in order of their references."""

    items: tuple[MovedIncident, ...]
    next_after: IncidentRef | None = None
    """Where the next page begins; null at the end."""


class MoveSeen(_Answer):
    """The progress of a move."""

    operation: str
    to: int
    by: str
    reason: str
    contract: str | None = None
    service: str | None = None
    moved: int
    """Number of incidents it has moved."""
    left: int
    """Number of incidents it has not moved yet."""
    first_moved_at: AwareDatetime
    last_moved_at: AwareDatetime
