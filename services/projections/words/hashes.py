"""Turns words into keyed hashes: equal words have equal hashes, and nothing else shows.

A word is indexed by its beginnings, so that it is found while it is typed, and by its
stems. Without the vault's key for searches nobody can tell the hash of a word.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from services.projections.words.normalization import (
    PREFIX_MAX,
    PREFIX_MIN,
    spelled,
    stems,
    words_of,
)
from shared.vault.vault import Vault

PURPOSE = "search"
"""The purpose of the vault's key for these hashes."""
HASH_BYTES = 8
TEXT_MAX = 20_000
"""How many characters of one text are indexed; a search does not find the others."""
_WORDS_HELD = 32_768


class WordHashes(NamedTuple):
    """The hashes under one key."""

    key: bytes

    def of(self, *texts: str | None) -> frozenset[int]:
        """Return the hashes by which the words of texts are found."""
        found: set[int] = set()
        for text in filter(None, texts):
            part = text[:TEXT_MAX]
            spellings = spelled(part)
            for word in words_of(part):
                found |= _indexed(self.key, word, spellings.get(word, word))
        return frozenset(found)

    def of_people(self, ids: Iterable[str | None]) -> frozenset[int]:
        """Return the hashes by which people are found: their ids, and words of ids."""
        named = [id_ for id_ in ids if id_]
        return self.of(*named).union(_hashed(self.key, f"@:{id_}") for id_ in named)

    def searched(self, word: str, spelling: str, people: Iterable[str]) -> set[int]:
        """Return the hashes of which one is enough to find a word.

        `people` are the ids of those whose name contains the word.
        """
        forms = (_beginning(word), *_stem_forms(word, spelling))
        ids = (f"@:{id_}" for id_ in people)
        return {_hashed(self.key, form) for form in (*forms, *ids)}


def known(vault: Vault) -> list[WordHashes]:
    """Return the hashes to look for: of more than one key during a rotation."""
    return [WordHashes(key) for key in vault.keys_for(PURPOSE)]


def current(vault: Vault) -> WordHashes | None:
    """Return the hashes to store; None without a master key."""
    return next(iter(known(vault)), None)


@lru_cache(_WORDS_HELD)
def _indexed(key: bytes, word: str, spelling: str) -> frozenset[int]:
    lengths = range(PREFIX_MIN, min(len(word), PREFIX_MAX) + 1)
    forms = (_beginning(word), *(_beginning(word[:length]) for length in lengths))
    return frozenset(
        _hashed(key, form) for form in (*forms, *_stem_forms(word, spelling))
    )


def _beginning(word: str) -> str:
    """Return the form of a beginning; it differs from that of a whole short word."""
    kind = "word" if len(word) < PREFIX_MIN else "prefix"
    return f"{kind}:{word[:PREFIX_MAX]}"


def _stem_forms(word: str, spelling: str) -> Iterable[str]:
    return (f"stem:{stem}" for stem in stems(word, spelling))


def _hashed(key: bytes, form: str) -> int:
    digest = blake2b(form.encode(), digest_size=HASH_BYTES, key=key).digest()
    return int.from_bytes(digest, "big", signed=True)
