"""What needs an auditor's judgement: counts by kind, the list of a kind, an incident's.

Overrides, attributions, agreements that staff recorded, backdating, forced ends,
changes of policy and rights, removed files, forgotten people, refusals, epochs.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from services.projections.api.answers import refusals, shown, tabular
from services.projections.api.audit.query import (
    Cursor,
    EntriesQuery,
    InWords,
    SummaryQuery,
)
from services.projections.api.audit.views import (
    AuditList,
    AuditSummary,
    IncidentAudit,
    KindCount,
    decision_of,
    item_of,
    people_of,
)
from services.projections.api.callers import Auditor
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.position import known, no_incident
from services.projections.api.query_params import PreferredLanguage, Ref, unwanted
from services.projections.audit.entries import (
    Page,
    WrongCursor,
    counts,
    decisions_of,
    fields_of,
    listed,
    of_incident,
)
from services.projections.audit.kinds import Kind
from services.projections.log_queries import desk_zone, rows_of_stream
from services.projections.snapshots import snapshot
from services.projections.timeline.sentences import Style, people_in
from shared.database.cursors import Cursors
from shared.directory import names
from shared.domain.identifiers import incident_stream
from shared.i18n.catalog import Language

router = APIRouter(tags=["audit"])

Facts = Sequence[tuple[str, Mapping[str, object]]]
"""Actors, each with the fields of what they did."""
KindPath = Annotated[Kind, Path(description="What is listed: `overrides`.")]


class KindQuery(EntriesQuery):
    """Which entries of a kind, in which order."""

    newest: bool = True
    """The newest come first; `false`: the oldest."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Cursor | None = None
    """`next_cursor` of the previous page."""


@router.get("/v1/audit/kinds", response_model=AuditSummary, responses=tabular())
async def get_summary(
    request: Request,
    query: Annotated[SummaryQuery, Query()],
    desk: DeskHere,
    _: Auditor,
) -> BaseModel | Response:
    """Count what needs judgement in a period, by kind."""
    return shown(request, query, await desk.blocking(_summary, desk, query))


@router.get("/v1/audit/kinds/{kind}", response_model=AuditList, responses=tabular())
async def get_entries(  # each shapes the answer
    request: Request,
    kind: KindPath,
    query: Annotated[KindQuery, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    _: Auditor,
) -> BaseModel | Response:
    """List what needs judgement of one kind, without personal words."""
    language = query.lang or liked
    found = await desk.blocking(_entries, desk, kind, query, language)
    return shown(request, query, found)


@router.get("/v1/audit/incidents/{ref}", responses=refusals(404))
async def get_incident(
    ref: Ref,
    query: Annotated[InWords, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    _: Auditor,
) -> IncidentAudit:
    """List what needs judgement about an incident, without personal words."""
    language = query.lang or liked
    return await desk.blocking(_incident, desk, ref, query.min_position, language)


def _summary(desk: Desk, query: SummaryQuery) -> AuditSummary:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        span = query.span(desk.log, cursor)
        found = counts(cursor, span, query.only)
    return AuditSummary(
        items=[KindCount(kind=kind, count=count) for kind, count in found.items()],
        start=span.start,
        end=span.end,
        after=span.low,
        upto=span.high,
        as_of=upto,
    )


def _entries(desk: Desk, kind: Kind, query: KindQuery, language: Language) -> AuditList:
    page = Page(query.limit + 1, query.cursor, query.newest)
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        span = query.span(desk.log, cursor)
        try:
            found = listed(desk.log, cursor, kind, span, query.only, page)
        except WrongCursor as error:
            raise unwanted(
                "cursor", "not a cursor of this list: begin again"
            ) from error
        part = found[: query.limit]
        style = _style(desk, cursor, people_of(part))
    return AuditList(
        items=[item_of(each, language, style) for each in part],
        next_cursor=part[-1].key if len(found) > len(part) else None,
        as_of=upto,
    )


def _incident(
    desk: Desk, ref: str, min_position: int, language: Language
) -> IncidentAudit:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, min_position)
        if not rows_of_stream(cursor, incident_stream(ref), 0, 1):
            raise no_incident(ref)
        found = of_incident(desk.log, cursor, ref)
        decided = decisions_of(desk.log, cursor, ref)
        facts = [(each.event.by, fields_of(each.event, each)) for each in decided]
        style = _style(desk, cursor, [*people_of(found), *facts])
    return IncidentAudit(
        incident=ref,
        items=[item_of(each, language, style) for each in found],
        decisions=[decision_of(each, language, style) for each in decided],
        as_of=upto,
    )


def _style(desk: Desk, cursor: Cursors, facts: Facts) -> Style:
    """Return the zone of the desk, and the names of the people in these facts."""
    return Style(desk_zone(desk.log, cursor), names(cursor, people_in(facts)))
