"""When what a clock is about was done, by what the desk did."""

from datetime import datetime

from services.sla_watcher.case import Case
from shared.sla import Clock


def done_when(clock: Clock, case: Case) -> datetime | None:
    """Return when what was promised was done, None while it is not."""
    match clock.name.target:
        case "tto":
            return case.acknowledged_at or case.restored_at or case.resolved_at
        case "ttr" if clock.stops_at == "restored":
            return case.restored_at or case.resolved_at
        case "ttr":
            return case.resolved_at
        case "update":
            told = case.told_at > clock.started_at
            return case.told_at if told else case.resolved_at
