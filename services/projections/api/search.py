"""One search over incidents, notes, problems, changes, other records and people.

Every hit says where its words were found, as far as its texts may still be read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader, may_look_people_up, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import known_to
from services.projections.api.query_params import (
    PreferredLanguage,
    QueryParams,
    Words,
)
from services.projections.external_records import several as several_external
from services.projections.generations import AsOf
from services.projections.log_queries import policy_in_force
from services.projections.queue.filters import Filters
from services.projections.queue.row import QueueRow
from services.projections.queue.search import Match, Merged, merged, ranked
from services.projections.queue.store import load
from services.projections.read_models import QUEUE, WORDS
from services.projections.records import CHANGES, PROBLEMS, Record, several
from services.projections.records import Kind as RecordKind
from services.projections.sight import Sight, visible
from services.projections.snapshots import snapshot
from services.projections.solutions import of_incidents
from services.projections.words.excerpts import Excerpt, Place, excerpts
from services.projections.words.normalization import searched, words_of
from services.projections.words.row import Kind
from services.projections.words.search import WordIndex
from shared.database.cursors import Cursors
from shared.directory import ids_by_word, search
from shared.domain import limits
from shared.domain.change import Change
from shared.domain.events.event import Actor
from shared.domain.identifiers import IncidentRef
from shared.domain.incident import IN_STOCK, Status
from shared.domain.problem import Problem
from shared.eventlog.log import EventLog
from shared.i18n.catalog import Language
from shared.security.access import Caller

router = APIRouter(tags=["queues"])

HITS_DEFAULT = 10
HITS_MAX = 50
"""The maximum number of hits of one kind."""
OTHERS_READ_MAX = 500
"""How many records of one kind are read to find those that a caller may see."""
HitKind = Literal[
    "incident", "solution", "problem", "change", "record", "person", "service"
]
_RECORDS_OPEN = frozenset({"open", "requested", "planned"})
_IS_OPEN = {"all": None, "open": True, "ended": False}
_ENDING = frozenset({"problem", "change"})
_ENDED = tuple(status for status in Status if status not in IN_STOCK)


class SearchQuery(QueryParams):
    """What to search for."""

    q: Words
    """Words that must all be found, in any order, without case and accents: each a
    prefix from three letters on, and singular or plural."""
    kind: tuple[HitKind, ...] = ()
    """Repeat it for several kinds. Default: all."""
    status: Literal["all", "open", "ended"] = "all"
    """Only open or ended incidents, problems and changes; the other kinds have no
    end and are found in any case."""
    ref: Annotated[tuple[IncidentRef, ...], Field(max_length=HITS_MAX)] = ()
    """Only show where these incidents have the words; repeat it for several."""
    limit: Annotated[int, Field(ge=1, le=HITS_MAX)] = HITS_DEFAULT
    """The maximum number of hits of each kind, and of ended incidents."""


class ExcerptPiece(Answer):
    """A piece of a text; `hit`: it is a word that was searched."""

    text: str
    hit: bool


class ExcerptView(Answer):
    """A part of a text in which words were found."""

    place: Place
    """What kind of text it is, such as a contact or a message."""
    at: AwareDatetime
    by: Actor
    position: int
    """The event that contains the text."""
    pieces: list[ExcerptPiece]


class Hit(Answer):
    """What was found."""

    kind: HitKind
    id: str
    """The reference of a record, or the id of a person or a service; a solution note
    has the reference of its incident."""
    title: str
    """The title of a record, the name of a person or a service."""
    open: bool | None
    """Whether a record is open; null for what cannot end."""
    status: str | None
    service: str | None
    team: str | None
    client: str | None
    merged_into: IncidentRef | None
    """The incident into which a found incident was merged."""
    excerpts: list[ExcerptView]
    """Up to three; none if all words are in other data, such as the service."""


class SearchResult(Answer):
    """Open incidents, notes, problems, changes, records, people, services, ended ones.

    Of each kind the best matches of the title come first, then the newest. An ended
    incident comes before an open one if its title has at least two more of the words.
    """

    items: list[Hit]
    as_of: AsOf


@router.get("/v1/search", responses=refusals())
async def get_search(
    query: Annotated[SearchQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    language: PreferredLanguage,
) -> SearchResult:
    """Search all records, people and services for words.

    Also finds words of contacts, messages, notes and reasons. People are found only by
    callers who may look people up.
    """
    await desk.reached(query.min_position, QUEUE, WORDS)
    return await desk.blocking(_found, desk, caller, query, language)


@dataclass(frozen=True)
class _Search:
    """A search in a snapshot, and what its caller may see."""

    log: EventLog
    cursor: Cursors
    queue: str
    index: WordIndex
    query: SearchQuery
    by_name: bool
    """Whether the caller may look people up."""
    people: Mapping[str, Sequence[str]]
    """The ids of people by the words of their names."""
    sight: Sight
    language: Language
    upto: AsOf

    def wants(self, kind: HitKind) -> bool:
        """Return whether hits of a kind are to be returned."""
        return not self.query.kind or kind in self.query.kind


class _Found(NamedTuple):
    """A hit, and the record that has its texts."""

    hit: Hit
    record: tuple[Kind, str] | None = None


def _found(
    desk: Desk, caller: Caller, query: SearchQuery, language: Language
) -> SearchResult:
    with snapshot(desk.log) as cursor:
        queue, shown = known_to(cursor, QUEUE, query.min_position)
        indexed_in, indexed = known_to(cursor, WORDS, query.min_position)
        by_name = may_look_people_up(caller)
        asked = _Search(
            desk.log,
            cursor,
            queue,
            WordIndex(desk.log.vault, indexed_in),
            query,
            by_name,
            ids_by_word(cursor, searched(query.q)) if by_name else {},
            sight_of(caller),
            language,
            min(shown, indexed, key=attrgetter("position")),
        )
        found = [*_hits(asked)]
        records = [each.record for each in found if each.record]
        texts = excerpts(desk.log, cursor, query.q, records, asked.upto.position)
    return SearchResult(
        items=[_with_excerpts(each, texts) for each in found], as_of=asked.upto
    )


def _with_excerpts(
    found: _Found, texts: Mapping[tuple[Kind, str], Sequence[Excerpt]]
) -> Hit:
    if found.record is None:
        return found.hit
    shown = [ExcerptView.model_validate(each) for each in texts[found.record]]
    return found.hit.model_copy(update={"excerpts": shown})


def _hits(asked: _Search) -> Iterator[_Found]:
    if asked.query.ref:
        yield from _incidents(asked, asked.query.ref)
        return
    wants = asked.wants("incident")
    order = _in_order(asked) if wants else Merged([], [])
    by_kind: Mapping[HitKind, Iterable[_Found]] = {
        "solution": _solutions(asked),
        "problem": _records(asked, "problem", PROBLEMS),
        "change": _records(asked, "change", CHANGES),
        "record": _external_records(asked),
        "person": _people(asked),
        "service": _services(asked),
    }
    yield from _incidents(asked, order.first)
    for kind, found in by_kind.items():
        if asked.wants(kind):
            yield from islice(found, asked.query.limit)
    yield from _incidents(asked, order.rest)


def _in_order(asked: _Search) -> Merged:
    if not asked.query.q.strip():
        return Merged([], [])
    is_open, is_ended = (asked.query.status != each for each in ("ended", "open"))
    return merged(
        _matching(asked, ()) if is_open else [],
        _matching(asked, _ENDED) if is_ended else [],
    )


def _matching(asked: _Search, status: tuple[Status, ...]) -> list[Match]:
    filters = Filters(status, q=asked.query.q, by_name=asked.by_name)
    return ranked(
        asked.cursor,
        asked.queue,
        filters,
        asked.index,
        asked.sight,
        asked.query.limit,
    )


def _incidents(asked: _Search, refs: Sequence[str]) -> Iterator[_Found]:
    rows = _rows(asked, refs)
    for ref in refs:
        if row := rows.get(ref):
            yield _Found(_incident(row), ("incident", ref))


def _rows(asked: _Search, refs: Sequence[str]) -> Mapping[str, QueueRow]:
    """Return the rows of those incidents that the caller may see."""
    seen = visible(asked.cursor, asked.queue, asked.sight, refs)
    return load(asked.cursor, asked.queue, [ref for ref in refs if ref in seen])


def _incident(row: QueueRow) -> Hit:
    return _hit(
        "incident",
        row.ref,
        row.title,
        open=row.status in IN_STOCK,
        status=row.status.value,
        service=row.service,
        team=row.team,
        client=row.client,
        merged_into=row.merged_into,
    )


def _solutions(asked: _Search) -> Iterator[_Found]:
    refs = _others(asked, "solution")
    rows = _rows(asked, refs)
    notes = of_incidents(asked.log, asked.cursor, asked.upto, refs, len(refs))
    of_refs = {note.incident: note for note in notes}
    for ref in refs:
        row, note = rows.get(ref), of_refs.get(ref)
        if row and note:
            hit = _hit("solution", ref, row.title, service=note.service, team=row.team)
            yield _Found(hit, ("solution", ref))


def _records(
    asked: _Search, kind: Literal["problem", "change"], of: RecordKind[Record]
) -> Iterator[_Found]:
    refs = _others(asked, kind)
    found = several(asked.log, asked.cursor, of, refs, asked.upto)
    for ref in refs:
        seen = found.get(ref)
        if seen and _sees(asked.sight, seen.record):
            yield _Found(_record(kind, seen.record), (kind, ref))


def _external_records(asked: _Search) -> Iterator[_Found]:
    refs = _others(asked, "record")
    found = several_external(asked.log, asked.cursor, refs, asked.upto)
    for ref in refs:
        if seen := found.get(ref):
            hit = _hit("record", ref, seen.record.name, status=seen.record.state)
            yield _Found(hit, ("record", ref))


def _record(kind: Literal["problem", "change"], record: Problem | Change) -> Hit:
    status = record.status.value
    return _hit(
        kind,
        record.ref,
        record.title,
        open=status in _RECORDS_OPEN,
        status=status,
        service=record.service,
        team=record.team,
    )


def _others(asked: _Search, kind: Kind) -> Sequence[str]:
    words = asked.index.words(asked.query.q, asked.people)
    if words is None:
        return []
    # Those that the caller may not see are left out afterwards.
    is_all = asked.sight.within is None
    limit = asked.query.limit if is_all else OTHERS_READ_MAX
    is_open = _IS_OPEN[asked.query.status] if kind in _ENDING else None
    return words.others(asked.cursor, kind, limit, is_open=is_open)


def _sees(sight: Sight, record: Problem | Change) -> bool:
    return sight.sees(limits.Place(None, record.service, record.team))


def _people(asked: _Search) -> Iterator[_Found]:
    words = searched(asked.query.q)
    if not words or not asked.by_name:
        return
    for person in search(asked.cursor, asked.query.q, None, None, words=words):
        if asked.sight.sees_client(person.client):
            yield _Found(_hit("person", person.id, person.name, client=person.client))


def _services(asked: _Search) -> Iterator[_Found]:
    policy = policy_in_force(asked.log, asked.cursor)
    words = searched(asked.query.q)
    if policy is None or not words:
        return
    for id_, service in policy.services.items():
        own = words_of(" ".join([id_, *service.name.values()]))
        if asked.sight.sees_service(id_) and all(
            any(each.startswith(word) for each in own) for word in words
        ):
            name = service.called(asked.language) or id_
            yield _Found(_hit("service", id_, name, service=id_))


def _hit(kind: HitKind, id_: str, title: str, **given: object) -> Hit:
    nothing = dict.fromkeys(Hit.model_fields)
    return Hit.model_validate(
        {**nothing, "excerpts": [], "kind": kind, "id": id_, "title": title, **given}
    )
