"""Shows where the words of a search were found: only the texts of shown hits are read.

Which records match follows from hashes alone. Their texts are decrypted here, as for a
timeline, so what was forgotten shows nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from services.projections.log_queries import streams_about
from services.projections.words.normalization import (
    PREFIX_MAX,
    PREFIX_MIN,
    searched,
    spelled,
    stems,
    words_of,
)
from services.projections.words.projection import OPENS, record_of, texts_of
from services.projections.words.row import Kind
from shared.database.cursors import Cursors
from shared.domain.events import AnyEvent
from shared.domain.events.event import Actor
from shared.domain.identifiers import (
    change_stream,
    external_stream,
    incident_stream,
    problem_stream,
)
from shared.eventlog.entry import Entry
from shared.eventlog.histories import readable_rows
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

EVENTS_MAX = 200
"""How many events of a stream are searched for excerpts, the newest first."""
PLACES_MAX = 3
"""How many places of one hit are shown."""
BEFORE = 60
"""How many characters are shown before the first word found."""
LENGTH = 240
"""How many characters an excerpt has at most."""

Place = Literal[
    "title",
    "description",
    "contact",
    "message",
    "question",
    "note",
    "reason",
    "solution",
    "details",
    "labels",
    "workaround",
    "cause",
    "service",
    "attachment",
]
_PLACES: Mapping[str, Place] = {
    "title": "title",
    "description": "description",
    "words": "contact",
    "message": "message",
    "question": "question",
    "reason": "reason",
    "override_reason": "reason",
    "backdated_because": "reason",
    "forced_because": "reason",
    "details": "details",
    "labels": "labels",
    "workaround": "workaround",
    "cause": "cause",
    "claimed_service": "service",
    "evidence": "reason",
    "name": "attachment",
}
_NOTED = "incident.solution_noted"
_PUT = "record.put"
_WORD = re.compile(r"[^\W_]+")
_BLANKS = re.compile(r"\s+")

_TEXTS = f"""
SELECT found.* FROM unnest(%s::text[]) AS stream, LATERAL (
    {SELECT_ROWS} WHERE originator_id = stream AND topic = ANY(%s)
      AND notification_id <= %s
    ORDER BY originator_version DESC LIMIT {EVENTS_MAX}
) AS found
"""  # noqa: S608 # our own names


class Piece(NamedTuple):
    """A piece of a text; `hit`: it is a word that was searched."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a text in which words were found: where, when and by whom."""

    place: Place
    at: datetime
    by: Actor
    position: int
    pieces: tuple[Piece, ...]


class _Match(NamedTuple):
    excerpt: Excerpt
    words: frozenset[str]


class Words:
    """The words of a search, to be recognised in a text."""

    def __init__(self, q: str) -> None:
        spellings = spelled(q)
        self.searched = searched(q)
        self._stems = {
            word: stems(word, spellings.get(word, word)) for word in self.searched
        }
        self._letters = {word[0] for word in self.searched}

    def in_word(self, text: str) -> set[str]:
        """Return which searched words a word of a text matches, as hashes do."""
        # Stemming is slow. Whatever it changes, a word keeps its first letter.
        if text.isascii() and text[0].lower() not in self._letters:
            return set()
        spellings = spelled(text)
        found: set[str] = set()
        for word in words_of(text):
            own = stems(word, spellings.get(word, word))
            found |= {
                each
                for each, of_each in self._stems.items()
                if _begins(word, each) or not own.isdisjoint(of_each)
            }
        return found


def _begins(word: str, searched_word: str) -> bool:
    if len(searched_word) < PREFIX_MIN:
        return word == searched_word
    return word.startswith(searched_word[:PREFIX_MAX])


def pieces(words: Words, text: str) -> tuple[frozenset[str], tuple[Piece, ...]]:
    """Return which words a text contains, and the part of it around the first."""
    plain = _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip()
    found: set[str] = set()
    spans: list[tuple[int, int]] = []
    for token in _WORD.finditer(plain):
        if matched := words.in_word(token[0]):
            found |= matched
            spans.append(token.span())
    if not spans:
        return frozenset(), ()
    start = _beginning(plain, spans[0][0])
    end = _end(plain, start + LENGTH)
    cut: list[Piece] = []
    at = start
    for first, last in (span for span in spans if span[1] <= end):
        cut += [Piece(plain[at:first], hit=False), Piece(plain[first:last], hit=True)]
        at = last
    cut.append(Piece(plain[at:end], hit=False))
    if start:
        cut.insert(0, Piece("… ", hit=False))
    if end < len(plain):
        cut.append(Piece(" …", hit=False))
    return frozenset(found), tuple(each for each in cut if each.text)


def _beginning(text: str, first: int) -> int:
    if first <= BEFORE:
        return 0
    blank = text.find(" ", first - BEFORE, first)
    return blank + 1 if blank >= 0 else first


def _end(text: str, last: int) -> int:
    if last >= len(text):
        return len(text)
    blank = text.rfind(" ", last - BEFORE, last)
    return blank if blank >= 0 else last


def excerpts(
    log: EventLog,
    cursor: Cursors,
    q: str,
    records: Iterable[tuple[Kind, str]],
    upto: int,
) -> Mapping[tuple[Kind, str], Sequence[Excerpt]]:
    """Return the excerpts of records, up to `PLACES_MAX` of each.

    Together they show as many of the words as possible; newer texts come first.
    """
    wanted = list(records)
    words = Words(q)
    streams = sorted({each for kind, ref in wanted for each in _streams(kind, ref)})
    given = (streams, sorted(OPENS), upto)
    rows = cursor.execute(_TEXTS, given, binary=True).fetchall() if streams else []
    by_record: dict[tuple[Kind, str], list[Entry]] = {}
    for entry in readable_rows(log, [Row(*row) for row in rows]):
        if record := record_of(entry.stream):
            by_record.setdefault(record, []).append(entry)
    return {
        (kind, ref): _chosen(words, kind, by_record.get(_source(kind, ref), []))
        for kind, ref in wanted
    }


def _source(kind: Kind, ref: str) -> tuple[Kind, str]:
    return ("incident", ref) if kind == "solution" else (kind, ref)


def _streams(kind: Kind, ref: str) -> Sequence[str]:
    match kind:
        case "incident":
            return streams_about(ref)
        case "solution":
            return [incident_stream(ref)]
        case "problem":
            return [problem_stream(ref)]
        case "change":
            return [change_stream(ref)]
        case "record":
            return [external_stream(ref)]


def _chosen(words: Words, kind: Kind, entries: Sequence[Entry]) -> list[Excerpt]:
    newest = sorted(entries, key=lambda entry: entry.position, reverse=True)
    if kind == "solution":
        newest = [entry for entry in newest if entry.type == _NOTED][:1]
    left = [match for entry in newest for match in _matches(words, entry)]
    chosen: list[Excerpt] = []
    shown: set[str] = set()
    while left and len(chosen) < PLACES_MAX:
        best = max(left, key=lambda match: len(match.words - shown))
        if chosen and best.words <= shown:
            break
        chosen.append(best.excerpt)
        shown |= best.words
        left.remove(best)
    return chosen


def _matches(words: Words, entry: Entry) -> Iterable[_Match]:
    for name, text in texts_of(entry.event).items():
        found, cut = pieces(words, text)
        if found:
            event = entry.event
            place = _place(event, name)
            yield _Match(Excerpt(place, event.at, event.by, entry.position, cut), found)


def _place(event: AnyEvent, name: str) -> Place:
    if event.type == _NOTED:
        return "solution"
    if event.type == _PUT:
        return "title" if name == "name" else "details"
    return _PLACES.get(name, "note")
