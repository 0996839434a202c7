"""Translates sentences that were written in English, such as the reason of a refusal.

The catalogs have the sentences as they are written, with `{places}` for what varies;
what fills a place is translated in the same way, as far as a catalog knows it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from string import Formatter
from typing import NamedTuple

from shared.i18n.catalog import Language, texts_of

CONTEXT = "detail"
DEPTH_MAX = 4
"""How many sentences may be in one another."""
SENTENCE_MAX = 1_000
"""A longer sentence is not looked up."""

_REFERENCE = r"[A-Z]+-\d+\S*?"
_PLACES = {"ref": _REFERENCE, "incident": _REFERENCE}
"""What may fill a place; others take any text."""


class _Pattern(NamedTuple):
    written: re.Pattern[str]
    text: str
    fixed: int
    """How many characters are not in a place: the more, the better it fits."""


def detail_text(language: Language, sentence: str) -> str | None:
    """Return a sentence in a language; None if its catalog does not have it."""
    if len(sentence) > SENTENCE_MAX:
        return None
    return _translated(language, sentence, DEPTH_MAX)


def _translated(language: Language, sentence: str, depth: int) -> str | None:
    exact = _exact(language).get(sentence)
    if exact is not None or depth == 0:
        return exact
    for pattern in _patterns(language):
        if found := pattern.written.fullmatch(sentence):
            filled = {
                place: _translated(language, text, depth - 1) or text
                for place, text in found.groupdict().items()
            }
            return pattern.text.format_map(filled)
    return None


@cache
def _exact(language: Language) -> Mapping[str, str]:
    texts = texts_of(language, CONTEXT)
    return {written: text for written, text in texts.items() if "{" not in written}


@cache
def _patterns(language: Language) -> Sequence[_Pattern]:
    texts = texts_of(language, CONTEXT)
    found = [_pattern(each, text) for each, text in texts.items() if "{" in each]
    return sorted(found, key=lambda each: -each.fixed)


def _pattern(written: str, text: str) -> _Pattern:
    parts = list(Formatter().parse(written))
    expression = "".join(
        re.escape(literal)
        + (f"(?P<{place}>{_PLACES.get(place, '.+?')})" if place else "")
        for literal, place, _, _ in parts
    )
    fixed = sum(len(literal) for literal, *_ in parts)
    return _Pattern(re.compile(expression, re.DOTALL), text, fixed)
