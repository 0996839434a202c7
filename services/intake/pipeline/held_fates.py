"""What becomes of a signal that was held, once its trouble goes on. Pure."""

from dataclasses import dataclass

from services.intake.pipeline.arrival import Correlated, Outcome
from services.intake.pipeline.key_row import KeyRow
from services.intake.pipeline.suppressing import Why

_JOINED = Why("correlated", "threshold")


@dataclass(frozen=True, slots=True)
class Fate:
    """The outcome of all that was held of a trouble, by which rule, and where."""

    signal_key: str
    outcome: Outcome
    incident: str | None
    why: Why


def fate(before: KeyRow, after: KeyRow, heard: Correlated) -> Fate | None:
    """Return the outcome of what was held of a row; None: nothing was, or it still is.

    What announced work held back was told so when it came: that was its end.
    """
    held = before.held
    if held is None or held.code == "maintenance":
        return None
    if after.held is not None and after.held.code != "maintenance":
        return None
    key, incident = after.signal_key, after.incident
    if before.state == "recovered" and after.state == "firing":
        reason = f"it fired again before it had held for {held.of}"
        return Fate(key, "suppressed", incident, Why(held.code, held.of, reason))
    if after.signal_key != heard.row.signal_key:
        return Fate(key, "signalled", incident, _JOINED)
    return Fate(key, heard.outcome, incident, heard.why)
