"""What each element of a batch comes to, as told and as remembered. Pure."""

from dataclasses import dataclass, replace

from services.intake.delivery import Result
from services.intake.outcomes import Settled
from services.intake.quarantine.postponed import Postponed


@dataclass(frozen=True, slots=True)
class Line:
    """One element's result; `member` is the one that records its events, if any."""

    delivery: int
    result: Result
    member: int | None = None
    version: int | None = None
    repeated: bool = False
    held_of: str | None = None
    """The key of the trouble of which it is held."""
    postponed: Postponed | None = None
    """That it waits in quarantine, and for what."""
    known: bool = False
    """Its event id is remembered already, as one that waits."""


def became(line: Line, settled: Settled) -> Line:
    """Return a line of something held as it is to be remembered."""
    end = settled.fate
    result = replace(
        line.result,
        status=end.outcome,
        incident=end.incident,
        error=end.why.reason,
        rule=end.why.code,
        rule_of=end.why.of,
    )
    return replace(line, result=result, version=settled.version, held_of=None)
