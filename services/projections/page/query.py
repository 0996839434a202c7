"""Which part of its address a page of a queue takes along when one goes on from it."""

from collections.abc import Iterable
from urllib.parse import urlencode

from shared.domain.incident import IN_STOCK, Status

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
"""The filters of the API and its order, by the same names."""
ENDED = tuple(status.value for status in Status if status not in IN_STOCK)
QUERY_MAX = 1_000
_KEPT = ("queue", "q", *FILTERS)


def kept_query(given: Iterable[tuple[str, str]]) -> str:
    """Return the queue, the words and the filters as a query; nothing else is kept."""
    query = urlencode(
        [(name, value) for name, value in given if name in _KEPT and value]
    )
    return query if len(query) <= QUERY_MAX else ""
