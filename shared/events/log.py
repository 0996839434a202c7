"""What happens to the log as a whole: it goes on after a restore or a promotion."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.events.event import Event

STREAM = "log-desk"


class LogRestored(Event):
    """A new epoch of the log begins: a copy was restored, or a standby promoted.

    What was recorded after the copy was made is lost, and its positions, versions and
    references may have been told. From here on, keys and cursors name the new epoch.
    """

    type: Literal["log.restored"] = "log.restored"
    epoch: Annotated[int, Field(ge=2)]
    token: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
    """Random, so that two restores of one backup never begin the same epoch."""
    cause: Literal["restore", "promotion"]
    begins_after: Annotated[int, Field(ge=0)]
    """Position of the last event before the epoch."""
    last_seen: Annotated[int, Field(ge=0)] | None = None
    """The highest position known to have existed before, if any was known."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]
