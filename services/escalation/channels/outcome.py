"""The outcome of one attempt to tell somebody."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Delivered:
    """The other side took it; `receipt` is its word for that, no personal one."""

    receipt: str


@dataclass(frozen=True)
class Failed:
    """It was not taken; `reason` says why, without personal words or secrets.

    `permanent`: the same would be refused again. `retry_after`: how long the other side
    asked us to wait at least. `withheld`: we never meant to hand it over.
    """

    reason: str
    permanent: bool
    retry_after: timedelta | None = None
    withheld: bool = False


Outcome = Delivered | Failed
