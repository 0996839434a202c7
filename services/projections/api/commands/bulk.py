"""One command for many incidents: previewed first, then executed for each of them.

A preview asks the owner of the incidents to decide each command without recording it.
Its answer lists the incidents that would change, at the versions it was decided on, and
a digest of them. Only what was previewed is executed: the digest has to match, and an
incident that changed since is refused by itself.

Each incident gets a command of its own, with a key that follows from the one of the
request. A request that was interrupted is sent again: what was done is `repeated`.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.callers import (
    SomeCommander,
    Token,
    credential_of,
    person_of,
    sight_of,
)
from services.projections.api.commands.messages import Message
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.queue_query import (
    ExpressionText,
    FilterQuery,
    filters_of,
)
from services.projections.api.incidents.queues import (
    queue_named,
    require_order,
    word_index,
)
from services.projections.api.limits import (
    BULK_AT_ONCE_MAX,
    BULK_MAX,
    RETRY_SECONDS,
)
from services.projections.api.position import known_to
from services.projections.api.query_params import Name, Nothing
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, matching_counts, page
from services.projections.queue.store import load
from services.projections.read_models import QUEUE
from services.projections.sight import Sight, visible
from services.projections.snapshots import snapshot
from shared.domain.commands.escalation import Accept, Escalate
from shared.domain.commands.incident import BODIES
from shared.domain.identifiers import IncidentRef
from shared.http.bodies import read_object, validated
from shared.http.command_headers import CommandHeaders, idempotency_key
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, Credential, ProblemDetails
from shared.security.access import Caller

router = APIRouter(tags=["bulk"])

Verb = Literal[
    "accept",
    "acknowledge",
    "assign",
    "cancel",
    "classify",
    "close",
    "escalate",
    "inform",
    "link",
    "merge",
    "pause",
    "relapse",
    "reopen",
    "resolve",
    "restore",
    "resume",
    "return",
    "snooze",
    "unlink",
    "wake",
]
"""The commands that make sense for many incidents, with the same body for each."""
_ESCALATION: Mapping[str, type[Accept | Escalate]] = {
    each.verb: each for each in (Accept, Escalate)
}
_BODIES: Mapping[str, type[BaseModel]] = {**BODIES, **_ESCALATION}
Outcome = Literal[
    "would_record", "recorded", "already", "repeated", "refused", "unanswered"
]


class Change(BaseModel):
    """An incident to change, and the version it was previewed at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ref: IncidentRef
    version: Annotated[int, Field(ge=0, le=2**31)]


class BulkBody(BaseModel):
    """A command for many incidents. Preview it, then send `changes` and `digest` back.

    A preview selects by `refs`, or by `queue` and `filter`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    verb: Verb
    body: dict[str, Any] = {}
    """The body of the command, as `POST /v1/incidents/{ref}/{verb}` takes it."""
    preview: bool = False
    """Decide it for each incident, and record nothing."""
    refs: Annotated[tuple[IncidentRef, ...], Field(max_length=BULK_MAX)] = ()
    """The incidents to preview."""
    queue: Name | None = None
    """The queue to select from. Default with a `filter`: `all`."""
    filter: ExpressionText | None = None
    """The filter expression that selects the incidents to preview."""
    changes: Annotated[tuple[Change, ...], Field(max_length=BULK_MAX)] = ()
    """What to execute: the `changes` of the preview."""
    digest: str | None = Field(None, max_length=64)
    """The digest of the preview."""


class BulkItem(Answer):
    """What would become, or became, of the command for one incident."""

    ref: IncidentRef
    title: str | None = None
    outcome: Outcome
    version: int | None = None
    """The version the preview was decided on, or the one after the command."""
    status: int | None = None
    """The status of the refusal."""
    code: str | None = None
    detail: str | None = None
    """Why it was refused, and what to do."""
    asks: str | None = None
    """What should be done next, if anything."""
    position: Annotated[int, Field(exclude=True)] = 0


class BulkAnswer(Answer):
    """The outcome for each incident, and how many had which."""

    verb: Verb
    preview: bool
    items: list[BulkItem]
    counts: dict[str, int]
    left_out: int = 0
    """How many more incidents the filter matches: preview again after this."""
    changes: tuple[Change, ...] = ()
    """Of a preview: what to send to execute it."""
    digest: str | None = None
    """Of a preview: the digest to send with it."""
    complete: bool
    """False if some are `unanswered`: send the same request again, with its key."""
    position: int = 0
    """The last position that was recorded: for `min_position`."""


async def _bulk_body(request: Request, _: SomeCommander) -> BulkBody:
    return validated(BulkBody, await read_object(request), "bulk command")


@router.post(
    "/v1/bulk",
    responses=refusals(400, 404, 409, 413, 415),
    openapi_extra=body_of(BulkBody),
)
async def change_many(  # what FastAPI hands in
    bulk: Annotated[BulkBody, Depends(_bulk_body)],
    headers: Annotated[CommandHeaders, Header()],
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: SomeCommander,
    token: Token,
) -> BulkAnswer:
    """Preview a command for many incidents, or execute what was previewed."""
    validated(_BODIES[bulk.verb], bulk.body, f"body of `{bulk.verb}`")
    if desk.bulks.locked():
        raise HttpError(
            429,
            "too many bulk commands at once: send it again in a moment",
            code="overloaded",
            retry_after=RETRY_SECONDS,
        )
    async with desk.bulks:
        send = _sender(desk, bulk, credential_of(token))
        if bulk.preview:
            return await _previewed(desk, caller, bulk, send)
        key = idempotency_key(headers.idempotency_key)
        return await _executed(bulk, key, caller.actor, send)


Send = Callable[[str, int | None, str | None], Awaitable[BulkItem]]
"""Sends the command for an incident: its reference, its version, the key."""


def _sender(desk: Desk, bulk: BulkBody, credential: Credential | None) -> Send:
    aggregate = Escalate.aggregate if bulk.verb in _ESCALATION else "incident"

    async def send(ref: str, version: int | None, key: str | None) -> BulkItem:
        message = Message(
            incident=ref,
            credential=credential,
            idempotency_key=key,
            if_match=version,
            preview=bulk.preview,
            body=bulk.body,
        )
        try:
            answer = await desk.owner.ask(aggregate, bulk.verb, message, CommandAnswer)
        except HttpError as error:
            return not_done(ref, error.details)
        return BulkItem(
            ref=ref,
            outcome=answer.outcome,
            version=answer.version,
            asks=answer.asks,
            position=max(answer.positions, default=0),
        )

    return send


async def _previewed(
    desk: Desk, caller: Caller, bulk: BulkBody, send: Send
) -> BulkAnswer:
    if bulk.changes or bulk.digest:
        raise _malformed("a preview has no `changes` and no `digest`: leave them out")
    chosen = await _chosen(desk, caller, bulk)
    items = await _each(send, [(ref, None, None) for ref in chosen.refs])
    shown = [_titled(item, chosen.titles) for item in items]
    changes = tuple(
        Change(ref=item.ref, version=item.version)
        for item in items
        if item.outcome == "would_record" and item.version is not None
    )
    digest = digest_of(caller.actor, bulk.verb, bulk.body, changes)
    more = {"left_out": chosen.left_out, "changes": changes, "digest": digest}
    return _answer(bulk, shown).model_copy(update=more)


async def _executed(
    bulk: BulkBody, key: str | None, actor: str, send: Send
) -> BulkAnswer:
    if bulk.refs or bulk.queue or bulk.filter:
        raise _malformed("preview it, then send its `changes` and `digest` instead")
    if key is None:
        raise _malformed("send an Idempotency-Key, so that it can be repeated")
    if bulk.digest != digest_of(actor, bulk.verb, bulk.body, bulk.changes):
        raise HttpError(
            409,
            "this is not what you previewed: preview it again, and send `changes` and "
            "`digest` as they were given",
            code="not_previewed",
        )
    wanted = [(each.ref, each.version, key_of(key, each.ref)) for each in bulk.changes]
    return _answer(bulk, await _each(send, wanted))


def digest_of(
    actor: str, verb: str, body: Mapping[str, Any], changes: Sequence[Change]
) -> str:
    """Return the digest that says: this person previewed exactly this."""
    plain = [actor, verb, body, [(each.ref, each.version) for each in changes]]
    return sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def key_of(key: str, ref: str) -> str:
    """Return the idempotency key of one incident's command."""
    return f"bulk-{sha256(f'{key}|{ref}'.encode()).hexdigest()}"


def not_done(ref: str, details: ProblemDetails) -> BulkItem:
    """Return the outcome for an incident whose command was answered by an error.

    One that cannot be read is refused: the others do not wait until it can.
    """
    is_unknown = details.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    is_read = details.code != "record_unreadable"
    return BulkItem(
        ref=ref,
        outcome="unanswered" if is_unknown and is_read else "refused",
        status=details.status,
        code=details.code,
        detail=details.detail,
    )


async def _each(
    send: Send, wanted: Sequence[tuple[str, int | None, str | None]]
) -> list[BulkItem]:
    """Return the outcome for each incident; after one without an answer, stop."""
    slots = asyncio.Semaphore(BULK_AT_ONCE_MAX)
    silent = asyncio.Event()

    async def one(ref: str, version: int | None, key: str | None) -> BulkItem:
        async with slots:
            if silent.is_set():
                return BulkItem(ref=ref, outcome="unanswered", detail=_NOT_SENT)
            item = await send(ref, version, key)
            if item.outcome == "unanswered":
                silent.set()
            return item

    return list(await asyncio.gather(*(one(*each) for each in wanted)))


_NOT_SENT = "not sent, since an earlier one was not answered: send it all again"


class _Chosen(NamedTuple):
    refs: Sequence[str]
    titles: Mapping[str, str]
    left_out: int


async def _chosen(desk: Desk, caller: Caller, bulk: BulkBody) -> _Chosen:
    """Return the incidents that a preview selects."""
    if bool(bulk.refs) == bool(bulk.queue or bulk.filter):
        raise _malformed("select incidents by `refs`, or by `queue` and `filter`")
    if bulk.refs:
        return await desk.blocking(
            _by_refs, desk, tuple(dict.fromkeys(bulk.refs)), sight_of(caller)
        )
    filters = filters_of(FilterQuery(filter=bulk.filter), caller)
    queue = queue_named(bulk.queue or "all", person_of(caller))
    return await desk.blocking(_by_filter, desk, queue, filters, sight_of(caller))


def _by_refs(desk: Desk, refs: Sequence[str], sight: Sight) -> _Chosen:
    with snapshot(desk.log) as cursor:
        schema, _ = known_to(cursor, QUEUE, 0)
        rows = load(cursor, schema, refs)
        seen = visible(cursor, schema, sight, refs)
    titles = {ref: row.title for ref, row in rows.items() if ref in seen}
    return _Chosen(refs, titles, 0)


def _by_filter(desk: Desk, queue: QueueName, filters: Filters, sight: Sight) -> _Chosen:
    require_order(filters, None)
    with snapshot(desk.log) as cursor:
        schema, upto = known_to(cursor, QUEUE, 0)
        index, _ = word_index(desk, cursor, filters, 0, upto)
        part = Part(None, BULK_MAX, desk.clock(), word_index=index)
        rows = page(cursor, schema, queue, filters, part, sight).rows
        counted = matching_counts(cursor, schema, queue, filters, sight, index)
    left_out = sum(number for *_, number in counted) - len(rows)
    titles = {row.ref: row.title for row in rows}
    return _Chosen(list(titles), titles, max(left_out, 0))


def _titled(item: BulkItem, titles: Mapping[str, str]) -> BulkItem:
    """Return an item with its title, unless the caller may not know the incident."""
    if item.status == HTTPStatus.NOT_FOUND:
        return item
    return item.model_copy(update={"title": titles.get(item.ref)})


def _answer(bulk: BulkBody, items: list[BulkItem]) -> BulkAnswer:
    counts = Counter(item.outcome for item in items)
    return BulkAnswer(
        verb=bulk.verb,
        preview=bulk.preview,
        items=items,
        counts=dict(sorted(counts.items())),
        complete="unanswered" not in counts,
        position=max((item.position for item in items), default=0),
    )


def _malformed(sentence: str) -> HttpError:
    return HttpError(422, sentence, code="invalid")
