"""Reading problems and changes: one of them, or a page of them, newest first."""

from dataclasses import dataclass
from typing import Annotated, Generic, Literal

from pydantic import Field

from services.projections.api.asked import AskedAt, Name
from services.projections.api.desk import Desk
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.past import known
from services.projections.api.tables import TableAsked
from services.projections.generations import AsOf
from services.projections.records import Kind, Record, Seen, newest, one
from services.projections.snapshots import snapshot
from shared.http.problem_details import HttpError


class RecordsAsked(TableAsked):
    """Which part of a list."""

    status: Literal["open", "all"] = "all"
    """`open`: only what is not over yet."""
    team: Name | None = None
    """Only what this team has now."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Name | None = None
    """`next_cursor` of the page before: the last reference on it."""


@dataclass(frozen=True, slots=True)
class Part(Generic[Record]):
    """Part of a list, and what the answer knows."""

    items: list[Seen[Record]]
    next_cursor: str | None
    upto: AsOf


def read_one(
    desk: Desk, kind: Kind[Record], ref: str, asked: AskedAt
) -> tuple[Seen[Record], AsOf]:
    """Return a record now or then; `HttpError` 404 where there is none. Blocks."""
    with snapshot(desk.log) as cursor:
        upto = known(cursor, asked.at, asked.min_position)
        found = one(desk.log, cursor, kind, ref, upto)
    if found is None:
        when = " at that instant" if asked.at else ""
        code = f"unknown_{kind.name}"
        raise HttpError(404, f"there is no {kind.name} {ref}{when}", code=code)
    return found, upto


def read_part(desk: Desk, kind: Kind[Record], asked: RecordsAsked) -> Part[Record]:
    """Return a page of records. Blocks."""
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, asked.min_position)
        found = newest(
            desk.log,
            cursor,
            kind,
            upto,
            before=asked.cursor,
            only_open=asked.status == "open",
            team=asked.team,
            limit=asked.limit + 1,
        )
    shown = found[: asked.limit]
    more = len(found) > len(shown)
    return Part(shown, shown[-1].record.ref if more else None, upto)
