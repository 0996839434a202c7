"""Selects the adapter and time zone for a source, according to the policy."""

from datetime import UTC, tzinfo
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.intake.signals.formats import ADAPTERS, Adapter
from services.intake.signals.formats import mapping as formats_mapping
from shared.domain.policy.mappings import Mapped
from shared.domain.policy.sources import Monitor, Source

MAPPED = "mapped"
"""The adapter that uses a mapping of the policy, in URLs and in the policy."""


def adapter_for(name: str, source: Source | None) -> Adapter | None:
    """Return the adapter of that name for `source`; None if unknown or unmapped."""
    if name == MAPPED:
        mapping = mapping_of(source)
        return partial(formats_mapping.read, mapping) if mapping else None
    return ADAPTERS.get(name)


def mapping_of(source: Source | None) -> Mapped | None:
    """Return the policy's mapping for a source, if any."""
    return source.mapping if isinstance(source, Monitor) else None


def zone_of(source: Source | None) -> tzinfo:
    """Return the zone of local times in a source's documents."""
    named = source.timezone if isinstance(source, Monitor) else None
    try:
        return ZoneInfo(named) if named else UTC
    except (ZoneInfoNotFoundError, ValueError):  # since removed from tzdata
        return UTC
