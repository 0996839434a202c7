"""What people may ask so that an incident makes no news for a while."""

from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.policy.durations import Duration
from shared.texts import Instant, Reason
from shared.wish import Wish


class Snooze(Wish):
    """Make no news of its repeats for a while. No clock stands, no promise waits."""

    verb: ClassVar[str] = "snooze"
    until: Instant | None = None
    for_: Duration | None = Field(None, alias="for")
    """Instead of `until`: how long from now."""
    reason: Reason

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.until is None) == (self.for_ is None):
            raise PydanticCustomError(
                "until", "say when it ends: either `until` or `for`"
            )
        return self


class Wake(Wish):
    """Make news of its repeats again."""

    verb: ClassVar[str] = "wake"
