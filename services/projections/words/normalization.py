"""The words of a text, and what makes two of them equal in a search.

Words are compared without case and accents: `Œuvré` is `oeuvre`. Their French and
English stems also make a singular find its plural; a word has both, since no language
is recorded for a text.
"""

import re
import unicodedata
from functools import lru_cache
from threading import local
from typing import Any

import snowballstemmer

WORD_MAX = 64
"""Longer words are truncated."""
SEARCHED_MAX = 16
"""The maximum number of words of one search; further ones are ignored."""
PREFIX_MIN = 3
"""Shorter words are found only as whole words where words are sealed."""
PREFIX_MAX = 12
"""How many letters of longer words are compared where words are sealed."""
_TEXTS_HELD = 4_096
_STEMS_HELD = 32_768
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ß": "ss"}
)
"""Letters that Unicode does not decompose, and that a keyboard may lack."""
_STEMMED = re.compile(r"[^\W\d]+")


@lru_cache(_TEXTS_HELD)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, each once, without case and accents."""
    found = (word[:WORD_MAX] for word in _WORD.findall(_folded(text)))
    return tuple(dict.fromkeys(found))


def _folded(text: str) -> str:
    plain = text.lower()
    if plain.isascii():
        return plain
    apart = unicodedata.normalize("NFKD", plain)
    letters = (each for each in apart if not unicodedata.combining(each))
    return "".join(letters).lower().translate(_LETTERS)


def spelled(text: str) -> dict[str, str]:
    """Map the words of a text to their spelling with accents, where it has any.

    French stems depend on accents, which people often leave out.
    """
    if text.isascii():
        return {}
    composed = unicodedata.normalize("NFKC", text).lower()
    return {_folded(word): word for word in _WORD.findall(composed)}


def searched(q: str) -> tuple[str, ...]:
    """Return the words to search for."""
    return words_of(q)[:SEARCHED_MAX]


@lru_cache(_STEMS_HELD)
def stems(word: str, spelling: str) -> frozenset[str]:
    """Return the stems of a folded word, each after the language: `fr:imprim`."""
    if len(word) < PREFIX_MIN or not _STEMMED.fullmatch(word):
        return frozenset()
    french, english = _stemmers()
    found = {f"fr:{french.stemWord(word)}", f"en:{english.stemWord(word)}"}
    if spelling != word:
        found.add(f"fr:{_folded(french.stemWord(spelling))}")
    return frozenset(found)


_own = local()


def _stemmers() -> tuple[Any, Any]:
    """Return the stemmers of this thread: they keep the current word in themselves."""
    if not hasattr(_own, "stemmers"):
        languages = ("french", "english")
        _own.stemmers = tuple(map(snowballstemmer.stemmer, languages))
    french, english = _own.stemmers
    return french, english
