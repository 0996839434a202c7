"""The timeline of an incident: one sentence for each event."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.projections.api.answers import Answer, shown, tabular
from services.projections.api.callers import SomeReader, may_look_people_up, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_MAX
from services.projections.api.position import (
    behind,
    known_to,
    no_incident,
    require_seen,
)
from services.projections.api.query_params import (
    InstantQuery,
    Position,
    PreferredLanguage,
    Ref,
    TableQuery,
    ZoneName,
)
from services.projections.api.redaction import redacted
from services.projections.generations import AsOf, as_of, live
from services.projections.log_queries import known_at, rows_of_stream
from services.projections.read_models import TIMELINE
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from services.projections.timeline.categories import Category
from services.projections.timeline.entry import TimelineEntry
from services.projections.timeline.sentences import (
    Style,
    brief,
    people_in,
    sentence,
)
from services.projections.timeline.store import (
    Cause,
    Facts,
    Gap,
    Part,
    cause_of,
    causes_of,
    gaps,
    lines,
    messages_in,
    told_of,
    with_words,
)
from shared.database.cursors import Cursors
from shared.directory import names
from shared.domain.identifiers import IncidentRef, incident_stream
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language, text_of

router = APIRouter(tags=["incidents"])


class TimelineQuery(TableQuery, InstantQuery):
    """Which part of a timeline."""

    after: Position = 0
    """Only events with a greater position: `next_after` of the previous page."""
    before: Position | None = None
    """Only events with a smaller position: `next_before` of the previous page."""
    order: Literal["oldest", "newest"] = "oldest"
    """Which events come first; `newest` shows the end of a long timeline at once."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_MAX
    lang: Language | None = None
    """The language of the sentences. Default: the first choice of `Accept-Language`."""
    zone: ZoneName | None = None
    """The time zone of instants in sentences, such as `Europe/Paris`. Default: UTC."""
    names: bool = False
    """Show people by name if the caller may look people up; otherwise by id."""
    messages: Literal["steps", "newest"] = "steps"
    """`newest`: one line for each message, with its latest state."""
    show: Literal["all"] | Category = "all"
    """Limit it to `messages`, `notes`, `decisions` or `escalations`."""


class Message(Answer):
    """A message that reports another event."""

    reports: int | None
    """The position of that event; null if the log does not contain it."""
    text: str | None
    """To whom it went and how far it came, in few words; null for a plan."""


class TimelineLine(Answer):
    """An event in words, with the texts that people wrote."""

    position: int
    version: int
    """The version in its own stream: incident, promises or escalation."""
    at: AwareDatetime
    """When it was decided."""
    recorded_at: AwareDatetime
    actor: str
    kind: str
    what: dict[str, Any]
    sentence: str
    message: Message | None = None
    """Only if the line is about a message to one receiver."""
    unreadable: str | None = None
    """Why only this is known of it: it cannot be read, or was skipped. `actor` is the
    desk then."""


class Timeline(Answer):
    """A page of a timeline, oldest first by default."""

    incident: IncidentRef
    items: list[TimelineLine]
    next_after: int | None
    """Where the next page begins; null at the end."""
    next_before: int | None
    """Where the next page begins if the newest comes first."""
    as_of: AsOf


@router.get(
    "/v1/incidents/{ref}/timeline", response_model=Timeline, responses=tabular(404)
)
async def get_timeline(  # noqa: PLR0913, PLR0917 # each shapes the answer
    request: Request,
    ref: Ref,
    query: Annotated[TimelineQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    liked: PreferredLanguage,
    response: Response,
) -> BaseModel | Response:
    """Show what happened to an incident, up to now or to an instant.

    Its own events, its promises, its escalation, the messages sent and the decisions of
    Problem Management, in the order of the log.
    """
    language = query.lang or liked
    await desk.reached(query.min_position, TIMELINE)
    named = query.names and may_look_people_up(caller)
    query = query.model_copy(update={"lang": language, "names": named})
    page = await desk.blocking(_timeline, desk, ref, query, sight_of(caller))
    answer = shown(request, query, page)
    headers = (answer if isinstance(answer, Response) else response).headers
    headers["Content-Language"] = language
    headers["Vary"] = "Accept, Accept-Language"
    return answer


def _timeline(desk: Desk, ref: str, query: TimelineQuery, sight: Sight) -> Timeline:
    language = query.lang or "en"
    with snapshot(desk.log) as cursor:
        require_seen(desk.log, cursor, sight, ref)
        schema, upto = known_to(cursor, TIMELINE, query.min_position)
        upto = _cut(known_at(cursor, query.at), upto)
        part = _part(query, upto)
        found = lines(cursor, schema, ref, part)
        missing = gaps(cursor, schema, TIMELINE.name, ref, part)
        if not (found or missing) and not lines(
            cursor, schema, ref, Part(0, upto.position, 1)
        ):
            raise _missing(cursor, ref)
        both: list[TimelineEntry | Gap] = [*found, *missing]
        page = sorted(both, key=attrgetter("position"), reverse=part.newest)
        page = page[: query.limit]
        told = [line for line in page if isinstance(line, TimelineEntry)]
        shown = with_words(desk.log, cursor, told)
        about = messages_in(cursor, schema, shown)
        facts = [told_of(line.kind, line.what, about) for line in shown]
        style = _style(cursor, query, shown, facts)
        causes = causes_of(cursor, facts)
    more = page[-1].position if len(both) > len(page) else None
    said = [
        _line(line, language, style, (what, causes))
        for line, what in zip(shown, facts, strict=True)
    ]
    said += [_gap(each, language) for each in page if isinstance(each, Gap)]
    timeline = Timeline(
        incident=ref,
        items=sorted(said, key=attrgetter("position"), reverse=part.newest),
        next_after=more if query.order == "oldest" else None,
        next_before=more if query.order == "newest" else None,
        as_of=upto,
    )
    with snapshot(desk.log) as cursor:
        return redacted(desk.log, cursor, sight, timeline, ref)


def _style(
    cursor: Cursors,
    query: TimelineQuery,
    shown: Sequence[TimelineEntry],
    facts: Sequence[Facts],
) -> Style:
    if not query.names:
        return Style(query.zone)
    people = people_in(
        (line.actor, what) for line, what in zip(shown, facts, strict=True)
    )
    return Style(query.zone, names(cursor, people))


def _part(query: TimelineQuery, upto: AsOf) -> Part:
    """Return which lines to read: one more than asked for, to detect a next page."""
    last = upto.position
    if query.before is not None:
        last = min(last, query.before - 1)
    return Part(
        query.after,
        last,
        query.limit + 1,
        newest=query.order == "newest",
        superseded_by=upto.position if query.messages == "newest" else None,
        category=None if query.show == "all" else query.show,
    )


def _cut(wanted: AsOf, reached: AsOf) -> AsOf:
    return wanted if wanted.position <= reached.position else reached


def _missing(cursor: Cursors, ref: str) -> HttpError:
    """Return the error for an incident without lines: unknown, or recorded later."""
    first = rows_of_stream(cursor, incident_stream(ref), 0, 1)
    reached = as_of(cursor, live(cursor, TIMELINE).schema).position
    if first and first[0].position > reached:
        return behind("timeline", reached, first[0].position)
    return no_incident(ref, is_later=bool(first))


def _line(
    line: TimelineEntry,
    language: Language,
    style: Style,
    told: tuple[Facts, Mapping[Cause, int]],
) -> TimelineLine:
    what, causes = told
    cause = cause_of(what)
    return TimelineLine(
        position=line.position,
        version=line.version,
        at=line.at,
        recorded_at=line.recorded_at,
        actor=line.actor,
        kind=line.kind,
        what=line.what,
        sentence=sentence(line.kind, line.actor, what, language, style),
        message=cause
        and Message(
            reports=causes.get(cause), text=brief(line.kind, what, language, style)
        ),
    )


def _gap(gap: Gap, language: Language) -> TimelineLine:
    row = gap.row
    text = text_of(language, "audit", "gap")
    return TimelineLine(
        position=row.position,
        version=row.version,
        at=row.recorded_at,
        recorded_at=row.recorded_at,
        actor="system:log",
        kind=row.type,
        what={},
        sentence=text.format(kind=row.type, position=row.position, why=gap.why),
        unreadable=gap.why,
    )
