"""Reads any format with the JMESPath mapping that the policy has for its source.

https://jmespath.org/specification.html

The sender does not read our answer, so overlong texts for people are cut. Keys and
actions are not guessed: an element without its key, or with an action that the table
does not contain, waits in quarantine until the mapping is corrected. The number of
evaluation steps for a document is limited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from services.intake.records.signal import default_dedup_key
from services.intake.signals.formats.elements.fields import (
    details_text,
    fitting_labels,
    instant,
    one_line,
)
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Heard, Ignored, Rejected, signal_from
from shared.domain.bounded_text import EARLIEST, LATEST, TITLE_MAX
from shared.domain.policy.mappings import (
    AUTO,
    EPOCH_MS,
    EPOCH_S,
    ActionTable,
    Mapped,
    SeverityTable,
)

STEPS_MAX = 300_000
"""Steps that all expressions of a document may take: about 250 ms."""
COMPILED_MAX = 1_024
"""Compiled expressions kept in the cache; a policy has no more than this."""
_WRONG = (
    ArithmeticError,
    AttributeError,
    JMESPathError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the library raises for values that an expression does not apply to."""


class NotFound(Exception):
    """An expression cannot be evaluated on this document; the message says why."""


class _TooMuch(Exception):
    """The evaluation exceeds the step limit."""


class Finder:
    """Evaluates the expressions of one mapping on one document, counting steps."""

    def __init__(self) -> None:
        self._interpreter = _Counting()

    def find(self, expression: str | None, value: object) -> Any:  # noqa: ANN401 # a value of a JSON document
        """Return what `expression` finds in `value`, or None if it finds nothing."""
        if expression is None:
            return None
        try:
            return self._interpreter.visit(_compiled(expression), value)
        except _TooMuch:
            raise NotFound("too large for this expression: make it simpler") from None
        except _WRONG as error:
            kind = type(error).__name__
            raise NotFound(f"its expression cannot be followed here: {kind}") from error


class _Counting(TreeInterpreter):
    """The library's interpreter, limited to `STEPS_MAX` steps."""

    def __init__(self) -> None:
        super().__init__()
        self._left = STEPS_MAX

    def visit(self, node: Any, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 # as the library has it
        self._left -= 1
        if self._left < 0:
            raise _TooMuch
        return super().visit(node, *args, **kwargs)


@lru_cache(maxsize=COMPILED_MAX)
def _compiled(expression: str) -> object:
    return jmespath.compile(expression).parsed


ELEMENTS_MAX = 1_000
LINKS_MAX = 32


class _Bad(Exception):
    """An element that cannot be mapped: which part of the mapping fails, and why."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.part, self.reason = part, reason


@dataclass(frozen=True, slots=True)
class _Element:
    """One element while it is mapped."""

    value: object
    finder: Finder

    def any(self, part: str, expression: str | None) -> Any:  # noqa: ANN401 # a value of a JSON document
        try:
            return self.finder.find(expression, self.value)
        except NotFound as error:
            raise _Bad(part, str(error)) from error

    def text(self, part: str, expression: str | None) -> str | None:
        return _text(part, self.any(part, expression))


def read(mapping: Mapped, document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of the mapping for each element of the document."""
    finder = Finder()
    try:
        found = _elements(mapping, document, finder)
    except _Bad as bad:
        return [Rejected(0, bad.reason, (bad.part,))]
    if len(found) > ELEMENTS_MAX:
        return [Rejected(0, f"more than {ELEMENTS_MAX} elements", ("elements",))]
    if not found:
        return [Ignored(0, "it holds no element")]
    return [
        _heard(mapping, _Element(value, finder), n, post)
        for n, value in enumerate(found)
    ]


def _elements(mapping: Mapped, document: object, finder: Finder) -> list[object]:
    found = document
    if mapping.elements is not None:
        found = _Element(document, finder).any("elements", mapping.elements)
        if found is None:
            raise _Bad("elements", "there is nothing at this place")
    return found if isinstance(found, list) else [found]


def _heard(
    mapping: Mapped, element: _Element, index: int, post: InboundDocument
) -> Heard:
    try:
        action = _action(mapping.action, element)
        if action == "ignore":
            return Ignored(index, "the mapping of its source ignores it")
        fields = _fields(mapping, element, post)
    except _Bad as bad:
        return Rejected(index, bad.reason, (bad.part,))
    if fields["event_id"] is None:
        fields["event_id"] = post.id_of(index)
    fields |= {"source": post.source, "action": action}
    return signal_from(fields, index, post.received_at)


def _fields(
    mapping: Mapped, element: _Element, post: InboundDocument
) -> dict[str, Any]:
    service = element.text("service", mapping.service)
    key = element.text("dedup_key", mapping.dedup_key)
    if key is None and mapping.dedup_key is not None:
        raise _Bad("dedup_key", "there is nothing at this place: nothing names it")
    title = one_line(element.text("title", mapping.title) or key or "", TITLE_MAX)
    if not title:
        raise _Bad("title", "there is nothing at this place")
    said = element.any("occurred_at", mapping.occurred_at)
    return {
        "event_id": element.text("event_id", mapping.event_id),
        "dedup_key": key or default_dedup_key(post.source, service, title),
        "title": title,
        "severity": _severity(mapping.severity, element),
        "service": service,
        "occurred_at": _instant(said, mapping.time_format, post.zone),
        "labels": _labels(mapping.labels, element),
        "details": _details(mapping, element),
    }


def _action(table: ActionTable, element: _Element) -> str:
    found = element.text("action", table.found_at)
    action = _looked_up(table.values, found) or table.default
    if action is None:
        missing = "nothing is there" if found is None else "`values` does not list it"
        raise _Bad(
            "action", f"{missing}, and there is no `default`: add one of the two"
        )
    return action


def _severity(table: SeverityTable, element: _Element) -> str | None:
    found = element.text("severity", table.found_at)
    return _looked_up(table.values, found) or table.default


def _looked_up(values: Mapping[str, str], found: str | None) -> str | None:
    if found is None:
        return None
    known = {name.casefold(): meant for name, meant in values.items()}
    return known.get(found.strip().casefold())


def _text(part: str, found: object) -> str | None:
    """Return a found scalar as text; raise `_Bad` for a list or an object."""
    match found:
        case None:
            return None
        case str():
            return found.strip() or None
        case bool():
            return "true" if found else "false"
        case int():
            return str(found)
        case float():
            return str(int(found)) if found.is_integer() else str(found)
        case _:
            raise _Bad(part, "a text or a number is needed at this place")


def _instant(said: object, form: str, zone: tzinfo) -> datetime | None:
    """Return the instant, or None if it is not plausible: the signal matters more."""
    try:
        at = instant(said, zone) if form == AUTO else _in_form(said, form, zone)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at and EARLIEST <= at < LATEST else None


def _in_form(said: object, form: str, zone: tzinfo) -> datetime | None:
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    if form in {EPOCH_S, EPOCH_MS}:
        return datetime.fromtimestamp(
            float(said) / (1_000 if form == EPOCH_MS else 1), UTC
        )
    read = datetime.strptime(str(said).strip(), form)  # noqa: DTZ007 # the zone is added below
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def _labels(labels: Mapping[str, str], element: _Element) -> dict[str, str]:
    found = {
        name: element.any(f"labels.{name}", expression)
        for name, expression in labels.items()
    }
    return fitting_labels(
        {
            name: details_text(value)
            if isinstance(value, dict | list)
            else _text(name, value)
            for name, value in found.items()
            if value not in (None, "")
        }
    )


def _details(mapping: Mapped, element: _Element) -> str | None:
    links = element.any("links", mapping.links)
    details = element.any("details", mapping.details)
    if isinstance(details, dict):
        details = {name: value for name, value in details.items() if value is not None}
    found = {
        "details": details,
        "links": links[:LINKS_MAX] if isinstance(links, list) else links,
    }
    said = {name: value for name, value in found.items() if value}
    if set(said) == {"details"}:
        return details_text(said["details"])
    return details_text(said) if said else None
