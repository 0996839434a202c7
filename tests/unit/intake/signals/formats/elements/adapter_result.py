"""What an adapter hears of one document: a signal, a rejection, or nothing at all."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Ignored, Rejected
from tests.unit.intake.commands.scenario import NINE

PARIS = ZoneInfo("Europe/Paris")


def heard(
    kind: str,
    document: object,
    zone: tzinfo = UTC,
    headers: Mapping[str, str] | None = None,
) -> list[Heard]:
    """Return all that is heard of `document`, which came through the wire."""
    document = orjson.loads(orjson.dumps(document))
    post = InboundDocument("monitor", NINE, zone=zone, headers=headers or {})
    return ADAPTERS[kind](document, post)


def signal(
    kind: str,
    document: object,
    zone: tzinfo = UTC,
    headers: Mapping[str, str] | None = None,
) -> Signal:
    """Return the one signal."""
    (one,) = heard(kind, document, zone, headers)
    assert isinstance(one, Signal), one
    return one


def rejected(kind: str, document: object) -> Rejected:
    """Return the one rejection."""
    (one,) = heard(kind, document)
    assert isinstance(one, Rejected), one
    return one


def ignored(
    kind: str, document: object, headers: Mapping[str, str] | None = None
) -> Ignored:
    """Return the one that says nothing of any trouble."""
    (one,) = heard(kind, document, headers=headers)
    assert isinstance(one, Ignored), one
    return one


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return `document` without these fields."""
    return {name: value for name, value in document.items() if name not in names}
