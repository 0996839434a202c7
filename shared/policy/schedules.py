"""Who is on call when. Overrides, swaps and absences are commands, not policy."""

from typing import Annotated, Literal

from pydantic import Field

from shared.policy.clause import Clause
from shared.policy.counts import Count
from shared.policy.local_times import LocalTime, Zone
from shared.policy.names import Person


class Rotation(Clause):
    """Participants take turns, each `shift_length` hours, days, weeks or months."""

    type: Literal["hourly", "daily", "weekly", "monthly"]
    shift_length: Count = 1
    start: LocalTime
    """When the first participant's first turn begins."""
    participants: Annotated[tuple[Person, ...], Field(min_length=1)]


class Schedule(Clause):
    """A rotation in a zone."""

    timezone: Zone
    rotation: Rotation
