"""What a health check says of a lease."""

from collections.abc import Mapping

from shared.lease import LeaseState

FREE_SECONDS_MAX = 10.0
"""How long work may wait while no process holds its lease."""


def lease_numbers(state: LeaseState) -> Mapping[str, float]:
    """Return the numbers of a lease, which become metrics."""
    return {
        "fence": float(state.fence),
        "renewed_seconds": state.renewed_seconds,
        "free_seconds": state.free_seconds,
    }


def lease_words(state: LeaseState) -> Mapping[str, str]:
    """Return who holds a lease, in words."""
    if not state.holder:
        return {"holder": "nobody yet"}
    if state.free_seconds:
        return {"holder": f"nobody; until now {state.holder}"}
    return {"holder": state.holder}
