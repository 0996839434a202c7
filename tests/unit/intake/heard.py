"""What an adapter hears of one document: a signal, a rejection, or nothing at all."""

from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from services.intake.adapters import ADAPTERS
from services.intake.adapters.post import Post
from services.intake.signals import Heard, Ignored, Rejected, Signal

from .spec import NINE

PARIS = ZoneInfo("Europe/Paris")


def heard(kind: str, document: object, zone: tzinfo = UTC) -> list[Heard]:
    """Return all that is heard of `document`, which came through the wire."""
    document = orjson.loads(orjson.dumps(document))
    return ADAPTERS[kind](document, Post("monitor", NINE, zone=zone))


def signal(kind: str, document: object, zone: tzinfo = UTC) -> Signal:
    """Return the one signal."""
    (one,) = heard(kind, document, zone)
    assert isinstance(one, Signal), one
    return one


def rejected(kind: str, document: object) -> Rejected:
    """Return the one rejection."""
    (one,) = heard(kind, document)
    assert isinstance(one, Rejected), one
    return one


def ignored(kind: str, document: object) -> Ignored:
    """Return the one that says nothing of any trouble."""
    (one,) = heard(kind, document)
    assert isinstance(one, Ignored), one
    return one


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return `document` without these fields."""
    return {name: value for name, value in document.items() if name not in names}
