"""What was agreed with a client: services, hours, targets."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.policy.clause import Clause
from shared.policy.local_times import Day
from shared.policy.names import Name, Person


class Contract(Clause):
    """Targets for some services of a client, from a day on."""

    client: Name
    from_: Annotated[Day, Field(alias="from")]
    """First day, local to the calendar."""
    until: Day | None = None
    """Day after the last; none: until further notice."""
    services: Annotated[tuple[Name, ...], Field(min_length=1)]
    calendar: Name
    p1_calendar: Name | None = None
    """Calendar of P1 incidents, where it is another."""
    targets: Name
    may_agree: tuple[Person, ...] = ("reporter",)
    """Who may agree to a longer delay: `reporter`, or people by id."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until and self.until <= self.from_:
            raise ValueError("`until` is the day after the last: later than `from`")
        return self
