"""Full-text search of incidents, as a condition that pages of a queue add.

A row contains the words of its title and labels in clear, and the ids of its people;
all other words about an incident are in the read model `words`, as keyed hashes. Names
remain in the directory, where they can be corrected and forgotten at any time.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, assert_never

from services.projections.queue.expression import (
    WORDS,
    All,
    Expression,
    Not,
    Some,
    Term,
)
from services.projections.queue.filter_fields import Where
from services.projections.queue.filters import Filters, Lifecycle, standing
from services.projections.queue.row import QueueRow
from services.projections.queue.tables import NEWEST_FIRST, ROWS
from services.projections.sight import Sight
from services.projections.words.normalization import searched, words_of
from services.projections.words.search import COLLECTED_MAX, HashedWords, WordIndex
from shared.database.cursors import Cursors
from shared.directory import ids_by_word
from shared.domain.identifiers import is_incident_ref
from shared.domain.policy.clause import PERSON

WORDS_MAX = 256
"""The maximum number of words of a row; those of the labels come last."""
_PERSON = re.compile(PERSON)


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


_COLLECT = """
SELECT ref FROM {}.{} WHERE rank IS {} AND search @@ %s::tsquery LIMIT %s
"""
# Not EXISTS: PostgreSQL could collect all matches of that beforehand.
_HASHED = """
(SELECT {condition} FROM {schema}.records AS said
 WHERE said.kind = 'incident' AND said.ref = {rows}.ref)
"""


def matching_words(
    cursor: Cursors, schema: str, filters: Filters, index: WordIndex | None = None
) -> list[Where]:
    """Return the conditions of a search; empty without a search.

    An incident matches if its row has all words, or if all are in the `index` of what
    was written about it. Few matches are collected by the indexes of words, then
    sorted. If there are many, the index in the order of the page soon finds enough.
    """
    if filters.q is None or not filters.q.strip():
        return []
    ref = filters.q.strip().upper()
    if is_incident_ref(ref):
        return [("ref = %s", (ref,))]
    words = searched(filters.q)
    if not words:
        return [("false", ())]
    people = ids_by_word(cursor, words) if filters.by_name else {}
    query = as_tsquery(words, people)
    sealed = index.words(filters.q, people) if index else None
    is_open = standing(filters) is Lifecycle.OPEN
    rank = "NOT NULL" if is_open else "NULL"
    limit = COLLECTED_MAX + 1
    collect = _COLLECT.format(schema, ROWS.name, rank)
    found = {ref for (ref,) in cursor.execute(collect, (query, limit))}
    if sealed and len(found) < limit:
        found.update(sealed.incidents(cursor, is_open=is_open, limit=limit))
    if len(found) <= COLLECTED_MAX:
        return [("ref = ANY(%s)", (sorted(found),))]
    return [_by_order(query, sealed)]


def words_condition(
    cursor: Cursors,
    texts: Iterable[str],
    *,
    by_name: bool,
    index: WordIndex | None = None,
) -> Where:
    """Return the condition for all words of these texts, inside an expression."""
    text = " ".join(texts)
    words = searched(text)
    if not words:
        return ("false", ())
    people = ids_by_word(cursor, words) if by_name else {}
    sealed = index.words(text, people) if index else None
    return _by_order(as_tsquery(words, people), sealed)


def _by_order(query: str, sealed: HashedWords | None) -> Where:
    # No index serves `IS TRUE`: otherwise PostgreSQL would collect all matches.
    if sealed is None:
        return ("(search @@ %s::tsquery) IS TRUE", (query,))
    said = _HASHED.format(
        condition=sealed.condition("said"), schema=sealed.schema, rows=ROWS.name
    )
    text = f"(search @@ %s::tsquery OR {said}) IS TRUE"
    return (text, (query, *sealed.values))


def searches_words(filters: Filters) -> bool:
    """Return whether words are searched, by `q` or inside an expression."""
    return bool(filters.q) or any(map(_has_words, filters.where))


def _has_words(expression: Expression) -> bool:
    match expression:
        case Term(field):
            return field == WORDS
        case Not(operand):
            return _has_words(operand)
        case All(several) | Some(several):
            return any(map(_has_words, several))
        case _:
            assert_never(expression)


_RANKED = """
SELECT ref, coalesce({score}, 0) AS in_title FROM {schema}.{rows}
WHERE rank IS {rank} AND {where}
ORDER BY in_title DESC, {newest} LIMIT %s
"""
_NEWEST = """
SELECT ref, 0 FROM {schema}.{rows}
WHERE rank IS {rank} AND {where} ORDER BY {newest} LIMIT %s
"""
_SCORE = """
(SELECT {in_title} FROM {schema}.records AS said
 WHERE said.kind = 'incident' AND said.ref = {rows}.ref)
"""
ENDED_BEHIND = 2
"""By how many more words in its title an ended incident comes before an open one."""


class Match(NamedTuple):
    """An incident that matches a search, and how many of the words its title has."""

    ref: str
    in_title: int


class Merged(NamedTuple):
    """The order of what a search matched; `rest` are ended incidents, shown last."""

    first: list[str]
    rest: list[str]


def merged(open_: Sequence[Match], ended: Sequence[Match]) -> Merged:
    """Return the order of open and ended incidents; both come with the best first.

    Ended incidents are in the `rest`, unless the words fit one much better than an open
    incident: then it comes before that one.
    """
    first, rest = list[str](), list(ended)
    for each in open_:
        while rest and rest[0].in_title >= each.in_title + ENDED_BEHIND:
            first.append(rest.pop(0).ref)
        first.append(each.ref)
    return Merged(first, [each.ref for each in rest])


def ranked(
    cursor: Cursors,
    schema: str,
    filters: Filters,
    index: WordIndex,
    sight: Sight,
    limit: int,
) -> list[Match]:
    """Return incidents that match a search: best matches of the title, then newest.

    If more than `COLLECTED_MAX` match, only the newest are returned.
    """
    found = matching_words(cursor, schema, filters, index)
    where = [*found, *sight.conditions(schema)]
    is_few = found[0][0].startswith("ref ")
    query, scored = _NEWEST, list[object]()
    score = ""
    if is_few and (sealed := index.words(filters.q or "")):
        in_title = sealed.in_title("said")
        query, scored = _RANKED, sealed.values
        score = _SCORE.format(in_title=in_title, schema=sealed.schema, rows=ROWS.name)
    text = query.format(
        schema=schema,
        rows=ROWS.name,
        rank="NOT NULL" if standing(filters) is Lifecycle.OPEN else "NULL",
        where=" AND ".join(each for each, _ in where),
        score=score,
        newest=NEWEST_FIRST,
    )
    values = [value for _, several in where for value in several]
    return [Match(*row) for row in cursor.execute(text, [*scored, *values, limit])]
