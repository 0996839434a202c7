"""The words by which an incident is found, and a search as PostgreSQL asks for them.

Words are compared without case and accents, in no language: `Œuvré` is `oeuvre`, and
a plural is another word. A row holds its own words and the ids of its people; names
stay in the directory, where they can be corrected and forgotten at any time.

Finds incidents by words, as a condition that pages of a queue add to their own.
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
"""What is longer is known by its beginning."""
WORDS_MAX = 256
"""Words of a row; those of the labels come last."""
SEARCHED_MAX = 16
"""Words of one search; the later ones are not looked for."""
_TITLES_HELD = 4_096
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ß": "ss"}
)
"""What Unicode takes for letters of their own, and a keyboard may not have."""
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
    """Return the words of a row with a blank between, people as `@id`."""
    people = {row.reporter, row.assignee, row.accepted_by, *row.contacts.split()}
    named = sorted(id_ for id_ in people if id_ and _PERSON.fullmatch(id_))
    ref = row.ref.lower().split("-")
    found = (
        *ref,
        ref[-1].lstrip("0"),  # as people say it: 42
        *(f"@{id_}" for id_ in named),
        *words_of(row.title),
        *words_of(row.service),
        *(word for id_ in named for word in words_of(id_)),
        *row.label_words.split(),
    )
    return " ".join([*dict.fromkeys(filter(None, found))][:WORDS_MAX])


def label_words(labels: Mapping[str, str] | None) -> str:
    """Return the words of labels with a blank between, names and values."""
    said = " ".join(f"{name} {value}" for name, value in (labels or {}).items())
    return " ".join(words_of(said)[:WORDS_MAX])


def searched(q: str) -> Sequence[str]:
    """Return the words that are looked for."""
    return words_of(q)[:SEARCHED_MAX]


def as_tsquery(words: Iterable[str], people: Mapping[str, Sequence[str]]) -> str:
    """Return a search for all `words`, each from its beginning.

    `people` are the ids of those whose name has a word. Only letters, digits and what
    an id may hold stand between the quotes.
    """
    return " & ".join(
        "({})".format(
            " | ".join([f"'{word}':*", *(f"'@{id_}'" for id_ in people.get(word, ()))])
        )
        for word in words
    )


Where = tuple[str, tuple[object, ...]]
COLLECTED_MAX = 3_000
"""Incidents that a search collects before they are put in order."""

_COLLECT = """
SELECT ref FROM {}.{} WHERE rank IS {} AND search @@ %s::tsquery LIMIT %s
"""


def matching_words(
    cursor: Cursor[tuple[Any, ...]], schema: str, filters: Filters
) -> list[Where]:
    """Return what the rows of a search have in common; nothing if there is none.

    Few matches are collected by the index of words, then put in order. Where there are
    many, the index in the order of the page soon meets enough of them.
    """
    if filters.q is None:
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
    # No index answers `IS TRUE`: PostgreSQL would else collect all of them.
    return [("(search @@ %s::tsquery) IS TRUE", (query,))]
