"""How much a source may send: counted in elements, so an array is not one for many."""

from typing import Annotated, Self

from pydantic import Field, Strict, model_validator

from shared.policy.clause import Clause

PER_SECOND_MAX = 100_000
BURST_MAX = 1_000_000
PER_DAY_MAX = 1_000_000_000


class Rate(Clause):
    """A token bucket: it holds `burst`, and `per_second` flow into it."""

    per_second: Annotated[int, Strict(), Field(ge=1, le=PER_SECOND_MAX)]
    """Elements a second, in the long run; all processes of intake together."""
    burst: Annotated[int, Strict(), Field(ge=1, le=BURST_MAX)]
    """Elements that may come at once after a rest."""

    @model_validator(mode="after")
    def _holds_a_second(self) -> Self:
        if self.burst < self.per_second:
            raise ValueError(
                "a `burst` below `per_second` is never reached: write at least as much"
            )
        return self


DEFAULT_RATE = Rate(per_second=2_000, burst=100_000)
"""Of a source of which the policy says nothing: far above a storm, and below what all
sources together may send."""


class Quota(Clause):
    """How many elements a source may send in a day of UTC."""

    per_day: Annotated[int, Strict(), Field(ge=1, le=PER_DAY_MAX)]
