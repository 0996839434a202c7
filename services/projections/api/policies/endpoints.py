"""The policies that were applied: the list, one of them, and what it changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from services.projections.api.answers import Answer, refusals, shown, tabular
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.policies.views import sentence
from services.projections.api.query_params import (
    PreferredLanguage,
    QueryParams,
    TableQuery,
)
from services.projections.generations import AsOf
from services.projections.log_queries import known_at
from services.projections.policies.rules import consequences
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.commands.policy_moves import VERSION_MAX
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.policy.document import difference
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.policies import document_of
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.mistake import path_text

router = APIRouter(tags=["policies"])

_BEFORE = f"""
{SELECT_ROWS} WHERE originator_id = %s AND originator_version < %s
ORDER BY originator_version DESC LIMIT %s
"""
CHANGES_MAX = 1_000
"""Changes and consequences in one answer, in the order of paths."""
Number = Annotated[int, Field(ge=1, le=VERSION_MAX)]
Wanted = Annotated[int, Path(ge=1, le=VERSION_MAX, description="A version.")]


class PolicyVersionView(Answer):
    """A policy that was applied."""

    version: int
    in_force: bool
    applied_at: AwareDatetime
    applied_by: str
    approved_by: str | None
    reason: str
    document: str
    """SHA-256 of its document, in hex: see `GET /v1/documents/{document}`."""


class PolicyVersionList(Answer):
    """Policies that were applied, the newest first."""

    items: list[PolicyVersionView]
    next_cursor: int | None
    """Where the next page begins; null at the end."""
    as_of: AsOf


class PolicyChangeView(Answer):
    """A value that is added, removed or changed; null where it is absent."""

    path: str
    kind: str
    before: JsonValue
    after: JsonValue


class PolicyComparison(Answer):
    """A policy, and what is different from another one."""

    policy: PolicyVersionView
    against: int | None
    """The version it is compared with; null for the first one."""
    consequences: list[str]
    """What is different for those who work by it, as sentences."""
    changes: list[PolicyChangeView]
    left_off: int
    """Number of changes that are not in the answer."""
    content: dict[str, JsonValue]
    """The document as it was applied; all closed days in it are dates."""
    as_of: AsOf


class PoliciesQuery(TableQuery):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Number | None = None
    """`next_cursor` of the previous page."""


class ComparisonQuery(QueryParams):
    """With which version it is compared."""

    against: Number | None = None
    """Default: the version before it."""
    lang: Language | None = None
    """The language of the sentences. Default: the first choice of `Accept-Language`."""


@router.get("/v1/policies", response_model=PolicyVersionList, responses=tabular())
async def get_policies(
    request: Request,
    query: Annotated[PoliciesQuery, Query()],
    desk: DeskHere,
    _: Reader,
) -> BaseModel | Response:
    """List the policies that were applied, the newest first."""
    return shown(request, query, await desk.blocking(_list, desk, query))


@router.get("/v1/policies/{version}", responses=refusals(404))
async def get_policy(
    version: Wanted,
    query: Annotated[ComparisonQuery, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    _: Reader,
) -> PolicyComparison:
    """Show a policy, and what is different from the one before or from another."""
    language = query.lang or liked
    return await desk.blocking(_compared, desk, version, query, language)


def _list(desk: Desk, query: PoliciesQuery) -> PolicyVersionList:
    with snapshot(desk.log) as cursor:
        upto = known_at(cursor, None)
        newest = _entries(desk.log, cursor, VERSION_MAX, 1)
        found = _entries(desk.log, cursor, query.cursor or VERSION_MAX, query.limit + 1)
    listed = found[: query.limit]
    current = newest[0].version if newest else 0
    more = listed[-1].version if len(found) > len(listed) else None
    items = [_view(each, current) for each in listed]
    return PolicyVersionList(items=items, next_cursor=more, as_of=upto)


def _compared(
    desk: Desk, version: int, query: ComparisonQuery, language: Language
) -> PolicyComparison:
    with snapshot(desk.log) as cursor:
        upto = known_at(cursor, None)
        current = _entries(desk.log, cursor, VERSION_MAX, 1)
        entry = _entry(desk.log, cursor, version)
        against = query.against or version - 1
        other = _entry(desk.log, cursor, against) if against else None
        after = _document(cursor, entry)
        before = _document(cursor, other) if other else after
    changes = difference(before, after)
    said = consequences(before, after)[:CHANGES_MAX]
    return PolicyComparison(
        policy=_view(entry, current[0].version),
        against=against or None,
        consequences=[sentence(each, language) for each in said],
        changes=[
            PolicyChangeView(
                path=path_text(each.path),
                kind=each.kind,
                before=each.before,
                after=each.after,
            )
            for each in changes[:CHANGES_MAX]
        ],
        left_off=max(0, len(changes) - CHANGES_MAX),
        content=after,
        as_of=upto,
    )


def _entries(log: EventLog, cursor: Cursors, before: int, most: int) -> list[Entry]:
    rows = cursor.execute(_BEFORE, (STREAM, before, most), binary=True).fetchall()
    return [log.entry(Row(*row)) for row in rows]


def _entry(log: EventLog, cursor: Cursors, version: int) -> Entry:
    found = _entries(log, cursor, version + 1, 1)
    if not found or found[0].version != version:
        raise HttpError(404, f"no policy has the version {version}: see /v1/policies")
    return found[0]


def _applied(entry: Entry) -> PolicyApplied:
    assert isinstance(entry.event, PolicyApplied)  # noqa: S101 # its stream has no other
    return entry.event


def _document(cursor: Cursors, entry: Entry) -> dict[str, Any]:
    return document_of(cursor, _applied(entry))


def _view(entry: Entry, current: int) -> PolicyVersionView:
    applied = _applied(entry)
    return PolicyVersionView(
        version=entry.version,
        in_force=entry.version == current,
        applied_at=applied.at,
        applied_by=applied.by,
        approved_by=applied.approved_by,
        reason=applied.reason,
        document=applied.document_hash,
    )
