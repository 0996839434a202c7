"""Full-text search of incidents, as a condition that pages of a queue add.

Words are compared without case and accents, independent of a language: `Œuvré` is
`oeuvre`, and a plural is another word. A row contains its own words and the ids of its
people; names remain in the directory, where they can be corrected and forgotten at any
time.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from psycopg import Cursor

from services.projections.queue.filters import Filters, Lifecycle, standing
from services.projections.queue.row import QueueRow
from services.projections.queue.tables import ROWS
from shared.directory import ids_by_word
from shared.domain.identifiers import is_incident_ref
from shared.domain.policy.clause import PERSON

WORD_MAX = 64
"""Longer words are truncated."""
WORDS_MAX = 256
"""The maximum number of words of a row; those of the labels come last."""
SEARCHED_MAX = 16
"""The maximum number of words of one search; further ones are ignored."""
_TITLES_HELD = 4_096
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ß": "ss"}
)
"""Letters that Unicode does not decompose, and that a keyboard may lack."""
_PERSON = re.compile(PERSON)


@lru_cache(_TITLES_HELD)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, each once, without case and accents."""
    plain = text.lower()
    if not plain.isascii():
        apart = unicodedata.normalize("NFKD", plain)
        letters = (each for each in apart if not unicodedata.combining(each))
        plain = "".join(letters).lower().translate(_LETTERS)
    found = (word[:WORD_MAX] for word in _WORD.findall(plain))
    return tuple(dict.fromkeys(found))


def row_words(row: QueueRow) -> str:
    """Return the words of a row separated by spaces, people as `@id`."""
    people = {row.reporter, row.assignee, row.accepted_by, *row.contacts.split()}
    named = sorted(id_ for id_ in people if id_ and _PERSON.fullmatch(id_))
    ref = row.ref.lower().split("-")
    found = (
        *ref,
        ref[-1].lstrip("0"),  # the short form that people use: 42
        *(f"@{id_}" for id_ in named),
        *words_of(row.title),
        *words_of(row.service),
        *(word for id_ in named for word in words_of(id_)),
        *row.label_words.split(),
    )
    return " ".join([*dict.fromkeys(filter(None, found))][:WORDS_MAX])


def label_words(labels: Mapping[str, str] | None) -> str:
    """Return the words of labels separated by spaces, names and values."""
    said = " ".join(f"{name} {value}" for name, value in (labels or {}).items())
    return " ".join(words_of(said)[:WORDS_MAX])


def searched(q: str) -> Sequence[str]:
    """Return the words to search for."""
    return words_of(q)[:SEARCHED_MAX]


def as_tsquery(words: Iterable[str], people: Mapping[str, Sequence[str]]) -> str:
    """Return a search for all `words`, each as a prefix.

    `people` are the ids of people whose name contains a word. Only letters, digits and
    characters of ids occur between the quotes.
    """
    return " & ".join(
        "({})".format(
            " | ".join([f"'{word}':*", *(f"'@{id_}'" for id_ in people.get(word, ()))])
        )
        for word in words
    )


Where = tuple[str, tuple[object, ...]]
COLLECTED_MAX = 3_000
"""The maximum number of incidents that a search collects and sorts."""

_COLLECT = """
SELECT ref FROM {}.{} WHERE rank IS {} AND search @@ %s::tsquery LIMIT %s
"""


def matching_words(
    cursor: Cursor[tuple[Any, ...]], schema: str, filters: Filters
) -> list[Where]:
    """Return the conditions of a search; empty without a search.

    Few matches are collected by the index of words, then sorted. If there are many, the
    index in the order of the page soon finds enough of them.
    """
    if filters.q is None or not filters.q.strip():
        return []
    ref = filters.q.strip().upper()
    if is_incident_ref(ref):
        return [("ref = %s", (ref,))]
    words = searched(filters.q)
    if not words:
        return [("false", ())]
    query = as_tsquery(words, ids_by_word(cursor, words) if filters.by_name else {})
    rank = "NOT NULL" if standing(filters) is Lifecycle.OPEN else "NULL"
    found = cursor.execute(
        _COLLECT.format(schema, ROWS, rank), (query, COLLECTED_MAX + 1)
    ).fetchall()
    if len(found) <= COLLECTED_MAX:
        return [("ref = ANY(%s)", ([ref for (ref,) in found],))]
    # No index serves `IS TRUE`: otherwise PostgreSQL would collect all matches.
    return [("(search @@ %s::tsquery) IS TRUE", (query,))]
