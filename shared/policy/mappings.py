"""What the mapping of a source may say only if it can be followed; asked when checked.

What was applied is read back without asking: a later JMESPath may be stricter.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from shared.mistake import Path
from shared.policy.expressions import EXPRESSION_MAX, mistakes_in
from shared.policy.mapped import AUTO, EPOCH_MS, EPOCH_S
from shared.policy.selecting import values
from shared.yaml12 import Plain

_EXPRESSIONS = (
    "elements",
    "title",
    "action.from",
    "severity.from",
    "dedup_key",
    "event_id",
    "service",
    "occurred_at",
    "labels.*",
    "links",
    "details",
)
_DAY = datetime(2025, 6, 30, 7, 52, tzinfo=UTC)
_FORMAT = "write auto, epoch_s, epoch_ms, or a form such as %d/%m/%Y %H:%M:%S"


def unmappable(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield what in mappings cannot be followed, and what to write instead."""
    for name in _EXPRESSIONS:
        for path, text in values(document, f"sources.*.mapping.{name}"):
            if isinstance(text, str) and len(text) <= EXPRESSION_MAX:
                yield from ((path, wrong) for wrong in mistakes_in(text))
    for path, form in values(document, "sources.*.mapping.time_format"):
        if isinstance(form, str) and not _is_format(form):
            yield path, f"no form of a time: {_FORMAT}"
    for name in ("action", "severity"):
        for path, table in values(document, f"sources.*.mapping.{name}"):
            yield from _table(path, table)


def _table(path: Path, table: Plain) -> Iterator[tuple[Path, str]]:
    written = table.get("values") if isinstance(table, dict) else None
    names = list(written) if isinstance(written, dict) else []
    if names and isinstance(table, dict) and "from" not in table:
        yield path, "say with `from` where the values stand, or take `values` out"
    known: set[str] = set()
    for name in names:
        if name.casefold() in known:
            yield (*path, "values", name), "given twice, but for its case: keep one"
        known.add(name.casefold())


def _is_format(form: str) -> bool:
    if form in {AUTO, EPOCH_S, EPOCH_MS}:
        return True
    try:
        read = datetime.strptime(_DAY.strftime(form), form)  # noqa: DTZ007 # a form may be local
    except (ValueError, OverflowError):
        return False
    return (read.year, read.month, read.day) == (_DAY.year, _DAY.month, _DAY.day)
