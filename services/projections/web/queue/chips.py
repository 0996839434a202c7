"""The filters of a queue screen, each as a chip that can be removed. Pure.

The parameters of the page are those of the API. They can be written as one expression,
which is what a saved view keeps.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from services.projections.web.rendering import FILTERS

Given = Sequence[tuple[str, str]]
"""The parameters of a page, in order; some are repeated."""

_PLAIN = re.compile(r'[^\s(),":-][^\s(),"]*')
_NEEDS_NO_CHIP = ("order",)
VIEW, QUEUE, WORDS, FILTER = "view", "queue", "q", "filter"


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, and the query of the page without it."""

    name: str
    value: str
    without: str


def chips(given: Given) -> tuple[Chip, ...]:
    """Return a chip for each value of each filter, for the words and the expression."""
    shown = (WORDS, *(name for name in FILTERS if name not in _NEEDS_NO_CHIP))
    return tuple(
        Chip(name, value, urlencode([*given[:n], *given[n + 1 :]]))
        for n, (name, value) in enumerate(given)
        if name in shown and value
    )


def with_view(given: Given, view: Mapping[str, Any] | None) -> Given:
    """Return what a page asks for: that of its view, unless it says otherwise."""
    if view is None:
        return given
    named = {name for name, _ in given}
    kept = {QUEUE: view["queue"], FILTER: view["filter"], "order": view["sort"]}
    own = [(name, value) for name, value in kept.items() if value and name not in named]
    return [*given, *own]


def expression(given: Given) -> str:
    """Return all filters and words as one filter expression."""
    several: dict[str, list[str]] = {}
    texts: list[str] = []
    for name, value in given:
        if not value or name in _NEEDS_NO_CHIP:
            continue
        if name == FILTER:
            texts.append(f"({value})")
        elif name == WORDS:
            texts += [_quoted(word) for word in value.split()]
        elif name in FILTERS:
            several.setdefault(name, []).append(value)
    named = [f"{name}:{_any_of(values)}" for name, values in several.items()]
    whole = [*named, *texts]
    return whole[0][1:-1] if _is_one_expression(whole, given) else " ".join(whole)


def _is_one_expression(whole: Sequence[str], given: Given) -> bool:
    return len(whole) == 1 and any(name == FILTER and value for name, value in given)


def _any_of(values: Iterable[str]) -> str:
    return ",".join(map(_quoted, values))


def _quoted(value: str) -> str:
    plain = value.replace('"', "")
    is_operator = plain in {"AND", "OR", "NOT"}
    return plain if _PLAIN.fullmatch(plain) and not is_operator else f'"{plain}"'
