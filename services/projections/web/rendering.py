"""Renders answers of the API as pages, and the query that links to a queue keep."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from services.projections.history.alert import is_document, leads_to_web
from services.projections.timeline.sentence_parts import duration
from services.projections.web.words import LANGUAGES, named
from shared.domain.incident import IN_STOCK, Status
from shared.i18n.formats import Language, short_instant_text
from shared.web.rendering import Pages

FILTERS = (
    "status",
    "priority",
    "assignee",
    "service",
    "client",
    "reporter",
    "level",
    "breached",
    "order",
    "root_cause",
)
"""The filters and the order of the API, with the same names."""
ENDED = tuple(status.value for status in Status if status not in IN_STOCK)
QUERY_MAX = 1_000
_KEPT = ("queue", "q", *FILTERS)


def kept_query(given: Iterable[tuple[str, str]]) -> str:
    """Return the queue, the words and the filters as a query; drop everything else."""
    query = urlencode(
        [(name, value) for name, value in given if name in _KEPT and value]
    )
    return query if len(query) <= QUERY_MAX else ""


def _instant(text: str, language: Language, zone: str) -> str:
    """Format an instant in the time zone of the page."""
    return short_instant_text(datetime.fromisoformat(text), zone, language)


def _newest(promises: Iterable[Mapping[str, Any]], cycle: int) -> Iterable[object]:
    """Return the current promise of each target, without earlier rounds."""
    return {
        each["target"]: each for each in promises if each["cycle"] == cycle
    }.values()


def _is_after(text: str, other: str | None) -> bool:
    """Return whether one instant is later than another; False without the other."""
    return other is None or datetime.fromisoformat(text) > datetime.fromisoformat(other)


_PAGES = Pages(
    LANGUAGES,
    Path(__file__).parent,
    filters={
        "is_after": _is_after,
        "is_document": is_document,
        "is_web": leads_to_web,
        "newest": _newest,
        "span": duration,
        "instant": _instant,
        "named": lambda name, language: named(language, name),
    },
)
page = _PAGES.page
asset = _PAGES.asset
