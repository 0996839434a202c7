"""Which adapter reads a source's documents, and in which zone, by the policy's word."""

from datetime import UTC, tzinfo
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.intake.signals.formats import ADAPTERS, Adapter
from services.intake.signals.formats import mapping as formats_mapping
from shared.domain.policy.mappings import Mapped
from shared.domain.policy.sources import Monitor, Source

MAPPED = "mapped"
"""The adapter that reads by a mapping of the policy, in addresses and in the policy."""


def adapter_for(name: str, source: Source | None) -> Adapter | None:
    """Return the adapter of that name for `source`; None: none, or not mapped."""
    if name == MAPPED:
        mapping = mapping_of(source)
        return partial(formats_mapping.read, mapping) if mapping else None
    return ADAPTERS.get(name)


def mapping_of(source: Source | None) -> Mapped | None:
    """Return the mapping the policy has of a source, if any."""
    return source.mapping if isinstance(source, Monitor) else None


def zone_of(source: Source | None) -> tzinfo:
    """Return the zone of local times in a source's documents."""
    named = source.timezone if isinstance(source, Monitor) else None
    try:
        return ZoneInfo(named) if named else UTC
    except (ZoneInfoNotFoundError, ValueError):  # the world has dropped it since
        return UTC
