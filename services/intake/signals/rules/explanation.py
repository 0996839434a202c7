"""Explains in a sentence why there is, or is not, an incident for an alert."""

from datetime import datetime

from services.intake.signals.rules.context import HeldSignal, KeyRow
from shared.domain.incident import Incident

_OPENS: dict[str, str] = {
    "maintenance": "its service is in maintenance ({of})",
    "open_after": "it must fire for {of} before it opens",
    "threshold": "it opens once {of} of those that agree fire",
}


def explained(row: KeyRow, incident: Incident | None) -> str:
    """Return the state of an alert and the reason for it, for people."""
    about = _about(incident)
    held = row.held
    match row.state:
        case "unknown":
            return "It never fired."
        case "firing" if held is not None:
            return f"It fires, and no incident is at work for it: {_opens(held)}."
        case "firing":
            return f"It fires: {about}{_flaps(row)}{_may_end(row)}."
        case _ if held is not None and held.until is not None:
            return (
                f"It recovered, which takes effect at {_at(held.until)} if it holds: "
                f"{about}{_flaps(row)}."
            )
        case _ if row.life.given_up_after:
            silence = f"no recovery was heard for {row.life.given_up_after}"
            return f"It counts as recovered, since {silence}: {about}."
        case _:
            return f"It recovered: {about}."


def _about(incident: Incident | None) -> str:
    if incident is None:
        return "nothing was opened for it"
    if incident.merged_into:
        return f"{incident.ref} was for it and is merged into {incident.merged_into}"
    return f"{incident.ref} is for it, and is {incident.status}"


def _opens(held: HeldSignal) -> str:
    why = _OPENS[held.code].format(of=held.of)
    until = f", until {_at(held.until)}" if held.until else ""
    return f"{why}{until}"


def _flaps(row: KeyRow) -> str:
    since = row.life.flapping_since
    return f"; it goes up and down since {_at(since)}" if since else ""


def _may_end(row: KeyRow) -> str:
    """Say when silence ends it, if that is what comes next."""
    if row.due_at is None or row.life.fired_at is None or row.life.flapping_since:
        return ""
    return f"; if nothing more is heard, it counts as recovered at {_at(row.due_at)}"


def _at(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
