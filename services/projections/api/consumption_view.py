"""Who consumed the working time of a promise, as an answer shows it."""

from typing import Self

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from shared.domain.events.sla import Party
from shared.domain.policy.targets import SupportLevel
from shared.domain.sla import Consumption


class LevelView(Answer):
    """Working seconds of the promise that a support level consumed."""

    level: SupportLevel
    seconds: int


class ShareView(Answer):
    """Open hours in which it was the turn of a party."""

    party: Party
    """`user` and `vendor` while it waited for them, `provider` else."""
    passed_seconds: int
    counted_seconds: int
    """What of them counts in the promise; a pause that the contract names does not."""


class ConsumptionView(Answer):
    """Who consumed a promise; the levels add up, and so do the parties."""

    until: AwareDatetime
    """The instant of the answer, or when the promise ended if before."""
    seconds: int
    """The sum of `levels`, and of what is counted of `parties`."""
    passed_seconds: int
    """Open hours since it began; the sum of what passed of `parties`."""
    levels: list[LevelView]
    parties: list[ShareView]

    @classmethod
    def of(cls, consumption: Consumption) -> Self:
        """Return the view of what was consumed."""
        return cls(
            until=consumption.until,
            seconds=consumption.seconds,
            passed_seconds=consumption.passed,
            levels=[
                LevelView(level=level, seconds=seconds)
                for level, seconds in consumption.levels.items()
            ],
            parties=[
                ShareView(
                    party=share.party,
                    passed_seconds=share.passed,
                    counted_seconds=share.counted,
                )
                for share in consumption.shares
            ],
        )
