"""Finds records by all words of a search, in whichever field and by any author."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.projections.words.hashes import known
from services.projections.words.normalization import searched, spelled
from services.projections.words.row import Kind
from services.projections.words.tables import ENDED, FOUND_BY, HASHES, OPEN, RECORDS
from shared.database.cursors import Cursors
from shared.vault.vault import Vault

COLLECTED_MAX = 3_000
"""The maximum number of records that a search collects and sorts."""


class HashedWords(NamedTuple):
    """The words of a search as hashes: of each word, one of its hashes must be found.

    `schema` is the generation of the read model `words` to search.
    """

    schema: str
    words: tuple[list[int], ...]

    @property
    def values(self) -> list[object]:
        """The values of the condition."""
        return list(self.words)

    def condition(self, row: str = "") -> str:
        """Return the condition that a row has all words; `row` names the table."""
        found_by = FOUND_BY
        if row:
            found_by = "(" + " || ".join(f"{row}.{name}" for name in HASHES) + ")"
        return " AND ".join([f"{found_by} && %s::int8[]"] * len(self.words))

    @property
    def named(self) -> dict[str, object]:
        """The values of `named_condition`, by name."""
        return {f"word_{n}": each for n, each in enumerate(self.words)}

    @property
    def named_condition(self) -> str:
        """The condition that a row has all words, in a query with named values."""
        words = (f"{FOUND_BY} && %({name})s::int8[]" for name in self.named)
        return " AND ".join(words)

    def incidents(self, cursor: Cursors, *, is_open: bool, limit: int) -> list[str]:
        """Return up to `limit` open or ended incidents with all words."""
        part = OPEN if is_open else ENDED
        found = cursor.execute(
            f"SELECT ref FROM {self.schema}.{RECORDS.name}"  # noqa: S608 # our own names
            f" WHERE {part} AND {self.condition()} LIMIT %s",
            [*self.values, limit],
        )
        return [ref for (ref,) in found]

    def others(
        self, cursor: Cursors, kind: Kind, limit: int, *, is_open: bool | None = None
    ) -> list[str]:
        """Return the newest records of another kind: open ones, best matches first.

        `is_open` selects open or ended ones; None: both.
        """
        found = cursor.execute(
            f"SELECT ref FROM {self.schema}.{RECORDS.name}"  # noqa: S608 # our own names
            f" WHERE kind <> 'incident' AND kind = %s AND {self.condition()}"
            " AND (%s::boolean IS NULL OR is_open = %s)"
            f" ORDER BY is_open DESC, {self.in_title()} DESC,"
            " length(ref) DESC, ref DESC LIMIT %s",
            [kind, *self.values, is_open, is_open, *self.values, limit],
        )
        return [ref for (ref,) in found]

    def in_title(self, row: str = "") -> str:
        """Return how many of the words are in the title; it needs `values` too."""
        title = f"{row}.title" if row else "title"
        return " + ".join([f"({title} && %s::int8[])::int"] * len(self.words))


class WordIndex(NamedTuple):
    """A generation of the read model `words`, and the vault with its keys."""

    vault: Vault
    schema: str

    def words(
        self, q: str, people: Mapping[str, Sequence[str]] | None = None
    ) -> HashedWords | None:
        """Return the words of a search; None without any, or without a master key.

        `people` are the ids of people whose names contain a word.
        """
        words, spellings, keys = searched(q), spelled(q), known(self.vault)
        if not words or not keys:
            return None
        found = []
        for word in words:
            spelling, named = spellings.get(word, word), (people or {}).get(word, ())
            forms = (each.searched(word, spelling, named) for each in keys)
            found.append(sorted(set[int]().union(*forms)))
        return HashedWords(self.schema, tuple(found))
