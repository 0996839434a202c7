"""How a source is shown: what it did, with which keys, and what is left to it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intake.activity.rows import KeyUse
from services.intake.activity.tally import KINDS, Kind
from services.intake.gate.admission import Allowance
from shared.domain.policy.sources import Monitor, Source

FAILED: tuple[Kind, ...] = ("rejected", "quarantined", "refused", "unauthorised")


@dataclass(frozen=True, slots=True)
class Lately:
    """What all sources did in the last hour and the last day, and their keys."""

    hour: Mapping[str, Mapping[str, int]]
    day: Mapping[str, Mapping[str, int]]
    keys: tuple[KeyUse, ...]

    def names(self) -> set[str]:
        """Return the sources that did anything, or have a key."""
        return {*self.hour, *self.day, *(key.source for key in self.keys)}


def shown(
    name: str,
    source: Source | None,
    lately: Lately,
    limits: Iterable[Allowance],
    now: datetime,
) -> dict[str, Any]:
    """Return a source as the API shows it; `type` is null where no policy names it."""
    own = [key for key in lately.keys if key.source == name]
    seen = [key.last_used for key in own if key.last_used]
    return {
        "name": name,
        "type": source.type if source else None,
        "last_seen": max(seen, default=None),
        "last_hour": _window(lately.hour.get(name, {})),
        "last_day": _window(lately.day.get(name, {})),
        "keys": [_key(key, now) for key in own],
        "signed": isinstance(source, Monitor) and source.signature is not None,
        "allow_from": list(source.allow_from) if isinstance(source, Monitor) else [],
        "limits": [
            {
                "kind": limit.kind,
                "limit": limit.limit,
                "remaining": limit.remaining,
                "reset_seconds": limit.reset,
            }
            for limit in limits
        ],
    }


def _window(counts: Mapping[str, int]) -> dict[str, Any]:
    numbers: dict[Kind, int] = {kind: counts.get(kind, 0) for kind in KINDS}
    everything = sum(numbers.values())
    failed = sum(numbers[kind] for kind in FAILED)
    rate = round(failed / everything, 4) if everything else None
    return numbers | {"error_rate": rate}


def _key(key: KeyUse, now: datetime) -> dict[str, Any]:
    state = "living"
    if key.revoked_at is not None:
        state = "revoked"
    elif key.expires_at is not None and key.expires_at <= now:
        state = "expired"
    return {
        "id": key.key_id,
        "label": key.label or None,
        "state": state,
        "created_at": key.created_at,
        "last_used": key.last_used,
    }
