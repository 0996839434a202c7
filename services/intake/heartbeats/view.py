"""How a heartbeat is shown to people. Pure."""

from typing import Any

from services.intake.heartbeats.beating import Beating, owner_of
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Heartbeat


def shown(name: str, rule: Heartbeat, held: Beating | None) -> dict[str, Any]:
    """Return a heartbeat as the API shows it; `held` None: just applied."""
    return {
        "name": name,
        "state": held.state if held else "waiting",
        "every": duration_text(rule.every),
        "grace": duration_text(rule.grace),
        "service": rule.service,
        "severity": rule.severity,
        "calendar": rule.calendar,
        "source": owner_of(rule, held),
        "beats": held.beats if held else 0,
        "last_beat_at": held.last_beat_at if held else None,
        "expected_by": held.due_at if held else None,
        "silent_since": held.silent_since if held else None,
    }
