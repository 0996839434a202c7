"""Endpoints that explain decisions: suppressed signals and the state of alerts.

An alert is looked up by its dedup key. A source sees its own signals, people see
everybody's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic import ValidationError as Invalid
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer, seen_by
from services.intake.records.signal import DEDUP_KEY_MAX, signal_key
from services.intake.records.store import UNOPENED, replayed_records
from services.intake.signals.key_rows import read_keys
from services.intake.signals.outcomes import (
    PAGE,
    PAGE_MAX,
    SuppressedQuery,
    find_suppressed,
)
from services.intake.signals.rules.context import KeyRow, Suppressor
from services.intake.signals.rules.explanation import explained
from shared.eventlog.log import EventLog
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError
from shared.threads import in_thread
from shared.validation_messages import said

SOURCES_MAX = 1_000
"""Sources that are searched for a key if the request names no source."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What has not taken effect yet, because of which rule, and until when."""

    rule: str
    rule_of: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """Why there is, or is not, an incident for an alert."""

    source: str
    dedup_key: str
    signal_key: str
    state: str
    sentence: str
    incident: str | None
    status: str | None
    """The status of the incident."""
    severity: str | None
    last_occurred_at: datetime | None
    last_told_at: datetime | None
    """When this was last recorded in the log."""
    repeats: int
    held: HeldBack | None
    flapping_since: datetime | None
    due_at: datetime | None
    """When the passage of time alone changes something."""


def decisions(log: EventLog, sources: Iterable[str], dedup_key: str) -> list[Decision]:
    """Return the state of the alert with that key at each source that has it."""
    asked = sorted(set(sources))[:SOURCES_MAX]
    with log.transaction() as cursor:
        keys = [signal_key(source, dedup_key) for source in asked]
        rows, _, unreadable = read_keys(cursor, keys, log.vault)
        refs = [row.incident for row in rows.values() if row.incident]
        states = replayed_records(log, cursor, refs)
    found = []
    for row in sorted(rows.values(), key=lambda each: each.source):
        state = states.get(row.incident or "", UNOPENED)
        status = str(state.incident.status) if state.incident else None
        sentence = explained(row, state.incident)
        if state.unreadable:
            why = f"cannot be read at present ({state.unreadable})"
            sentence = f"{row.incident} is for it and {why}: its signals wait."
        if row.signal_key in unreadable:
            why = f"cannot be read at present ({unreadable[row.signal_key]})"
            sentence = f"What was held of it {why}: its signals wait."
        found.append(_decision(row, dedup_key, sentence, status))
    return found


def known_sources(log: EventLog) -> list[str]:
    """Return the names of the sources, taken from their API tokens."""
    with log.transaction() as cursor:
        rows = cursor.execute(_SOURCES, (SOURCES_MAX,)).fetchall()
    return [source for (source,) in rows]


_SOURCES = """
SELECT DISTINCT substr(actor, 8) FROM access.tokens
WHERE actor LIKE 'source:%%' ORDER BY 1 LIMIT %s
"""


def _decision(
    row: KeyRow, dedup_key: str, sentence: str, status: str | None
) -> Decision:
    held = row.held
    return Decision(
        source=row.source,
        dedup_key=dedup_key,
        signal_key=row.signal_key,
        state=row.state,
        sentence=sentence,
        incident=row.incident,
        status=status,
        severity=row.severity,
        last_occurred_at=row.last_occurred_at,
        last_told_at=row.last_summary_at,
        repeats=row.repeats,
        held=HeldBack(held.code, held.of, held.since, held.until) if held else None,
        flapping_since=row.life.flapping_since,
        due_at=row.due_at,
    )


NAME_MAX = 128
_Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_MAX, pattern=r"^[^\x00-\x1f]+$"),
]


class _Question(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    source: _Name | None = None


class _OfSuppressed(_Question):
    service: _Name | None = None
    code: Suppressor | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE
    cursor: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


class _OfDecisions(_Question):
    dedup_key: Annotated[
        str,
        StringConstraints(
            min_length=1, max_length=DEDUP_KEY_MAX, pattern=r"^[^\x00-\x1f]+$"
        ),
    ]


_Kind = TypeVar("_Kind", bound=_Question)


def explain_routes(context: EndpointContext) -> list[Route]:
    """Return the routes of these endpoints."""

    async def suppressed(request: Request) -> Response:
        return await _suppressed(context, request)

    async def decided(request: Request) -> Response:
        return await _decided(context, request)

    return [
        Route("/v1/suppressed", answered(suppressed), methods=["GET"]),
        Route("/v1/decisions", answered(decided), methods=["GET"]),
    ]


async def _suppressed(context: EndpointContext, request: Request) -> Response:
    """Return a page of suppressed signals, newest first."""
    asked = await _asked(context, request, _OfSuppressed)
    query = SuppressedQuery(
        asked.source,
        asked.service,
        asked.code,
        asked.since,
        asked.until,
        asked.cursor,
        asked.limit + 1,
    )
    found = await in_thread(context.executor, find_suppressed, context.log, query)
    page = found[: asked.limit]
    more = len(found) > len(page)
    return json_answer(
        {"items": page, "next_cursor": page[-1].suppressed_id if more else None}
    )


async def _decided(context: EndpointContext, request: Request) -> Response:
    """Return the state of the alert with a key, at one source or at all."""
    asked = await _asked(context, request, _OfDecisions)

    def look() -> object:
        sources = [asked.source] if asked.source else known_sources(context.log)
        return decisions(context.log, sources, asked.dedup_key)

    return json_answer({"items": await in_thread(context.executor, look)})


async def _asked(
    context: EndpointContext, request: Request, kind: type[_Kind]
) -> _Kind:
    """Return the validated query; a source may only ask about itself."""
    own = seen_by(await context.gate.caller(request, bearer(request)))
    fields = {name: _with_plus(value) for name, value in request.query_params.items()}
    try:
        question = kind.model_validate(fields)
    except Invalid as error:
        raise _wrong(error) from error
    if own is None:
        return question
    if question.source not in (None, own):
        raise HttpError(403, f"this key is of `{own}`: ask of it only", code="scope")
    return question.model_copy(update={"source": own})


def _with_plus(text: str) -> str:
    """Restore the plus sign of a UTC offset: a query string decodes it as a space."""
    head, blank, zone = text.rpartition(" ")
    return f"{head}+{zone}" if blank and zone[:2].isdigit() else text


def _wrong(error: Invalid) -> HttpError:
    found = error.errors(include_url=False, include_input=False)
    errors = [
        {"loc": ["query", *each["loc"]], "msg": said(each), "type": each["type"]}
        for each in found
    ]
    first = errors[0]
    where = ".".join(map(str, first["loc"][1:]))
    return HttpError(422, f"{where}: {first['msg']}", errors=errors)
