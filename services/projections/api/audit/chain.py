"""The state of the hash chain: its head, epochs, anchors, and what was verified."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.callers import Auditor
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import POSITION_MAX, RETRY_SECONDS
from services.projections.api.position import known
from services.projections.api.query_params import Nothing, QueryParams
from services.projections.audit.entries import fields_of
from services.projections.audit.verifications import (
    VERIFIED_MAX,
    Kept,
    PartVerified,
    Verification,
    keep,
    kept,
    verified_upto,
    verify_part,
)
from services.projections.audit.verify import anchors
from services.projections.generations import AsOf
from services.projections.log_queries import rows_at
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.eventlog.entry import GENESIS
from shared.eventlog.log import follows
from shared.eventlog.recorder import read_head
from shared.http.bodies import read_object, validated
from shared.http.problem_details import HttpError

router = APIRouter(tags=["audit"])

PositionPath = Annotated[
    int, Path(ge=1, le=POSITION_MAX, description="A position in the log: `1042`.")
]
SHOWN_MAX = 20
"""How many of the last verifications are shown."""


class EpochView(Answer):
    """An epoch of the log, and why it began."""

    number: int
    begins_after: int
    """The position of the last event before it."""
    cause: Literal["first", "restore", "promotion"]
    reason: str
    begun_by: str
    begun_at: AwareDatetime


class AnchorView(Answer):
    """What a reader of the log remembers of it."""

    whose: str
    position: int
    matches: bool
    """Whether the log holds that event; if not, it was rewritten there or before."""


class VerificationView(Answer):
    """A part of the chain that was verified: after a position, up to another."""

    verified_at: AwareDatetime
    verified_by: str | None
    """Null: on the command line."""
    after: int
    upto: int
    chain: str
    """The hash of the event at `upto`, in hex."""
    finding: str | None
    """What is wrong; null if the part is whole."""
    found_at: int | None
    holds: bool
    """Whether the log holds the event at `upto` with that hash now."""


class ChainState(Answer):
    """The state of the chain."""

    position: int
    chain: str
    """The hash of the last event, in hex: write it down elsewhere."""
    recorded_at: AwareDatetime | None
    verified_upto: int
    """Verifications cover the log from its beginning up to here without a gap."""
    verifications: list[VerificationView]
    """The last ones, the newest first."""
    contradicted: int
    """How many of them the log contradicts now: it was rewritten or restored since."""
    anchors: list[AnchorView]
    epochs: list[EpochView]
    verified_max: int
    """The maximum number of events of one verification."""
    as_of: AsOf


class LinkView(Answer):
    """An event in the chain, without personal words."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: AwareDatetime
    chain: str
    """SHA-256 over the previous hash and this event as stored, in hex."""
    previous: str
    """The hash of the event before it; zeros before the first one."""
    follows: bool
    """Whether computing the hash gives `chain`: the event is as it was recorded."""
    event: dict[str, Any]
    """Its fields; personal words are `[…]`. Empty if it cannot be read."""
    as_of: AsOf


class VerifyBody(BaseModel):
    """Which part of the chain is verified."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    after: Annotated[int, Field(ge=0, le=POSITION_MAX)] | None = None
    """Begin after this position. Default: where the verifications end."""
    upto: Annotated[int, Field(ge=1, le=POSITION_MAX)] | None = None
    """The last position. Default: as many events as one request may verify."""


@router.get("/v1/audit/chain", responses=refusals())
async def get_chain(
    query: Annotated[QueryParams, Query()], desk: DeskHere, _: Auditor
) -> ChainState:
    """Show the head of the log, its epochs and anchors, and what was verified."""
    return await desk.blocking(_state, desk, query.min_position)


@router.get("/v1/audit/log/{position}", responses=refusals(404))
async def get_link(
    position: PositionPath,
    query: Annotated[QueryParams, Query()],
    desk: DeskHere,
    _: Auditor,
) -> LinkView:
    """Show an event with its place in the chain, computed again."""
    return await desk.blocking(_link, desk, position, query.min_position)


@router.post(
    "/v1/audit/verifications",
    status_code=201,
    responses=refusals(400, 404, 413, 415),
    openapi_extra=body_of(VerifyBody),
)
async def verify_chain(
    request: Request,
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: Auditor,
) -> VerificationView:
    """Verify a part of the chain, and record the result."""
    body = validated(VerifyBody, await read_object(request), "verification")
    if desk.verifying.locked():
        raise HttpError(
            429,
            "another verification is running: ask again in a moment",
            code="overloaded",
            retry_after=RETRY_SECONDS,
        )
    async with desk.verifying:
        return await desk.blocking(_verify, desk, caller.actor, body)


def _state(desk: Desk, min_position: int) -> ChainState:
    with snapshot(desk.log) as cursor:
        head, upto = read_head(cursor), known(cursor, None, min_position)
        found = kept(cursor)
        epochs = [EpochView(**row) for row in _epochs(cursor)]
    return ChainState(
        position=head.position,
        chain=head.chain.hex(),
        recorded_at=upto.time,
        verified_upto=verified_upto(found),
        verifications=[_view(each) for each in found[:SHOWN_MAX]],
        contradicted=sum(not each.holds for each in found),
        anchors=_anchors(desk),
        epochs=epochs,
        verified_max=VERIFIED_MAX,
        as_of=upto,
    )


def _link(desk: Desk, position: int, min_position: int) -> LinkView:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, min_position)
        rows = {
            each.position: each for each in rows_at(cursor, [position - 1, position])
        }
    row, before = rows.get(position), rows.get(position - 1)
    if row is None:
        raise HttpError(
            404,
            f"the log has no event at position {position}: it ends at {upto.position}",
        )
    previous = before.chain if before else GENESIS
    read = desk.log.without_words([row]).entries
    return LinkView(
        position=row.position,
        stream=row.stream,
        version=row.version,
        type=row.type,
        recorded_at=row.recorded_at,
        chain=row.chain.hex(),
        previous=previous.hex(),
        follows=follows(previous, row),
        event=fields_of(read[0].event, read[0]) if read else {},
        as_of=upto,
    )


_EPOCHS = """
SELECT number, begins_after, cause, reason, begun_by, begun_at FROM log.epochs
ORDER BY number DESC LIMIT 100
"""
_NAMES = ("number", "begins_after", "cause", "reason", "begun_by", "begun_at")


def _epochs(cursor: Cursors) -> list[dict[str, Any]]:
    return [dict(zip(_NAMES, row, strict=True)) for row in cursor.execute(_EPOCHS)]


def _anchors(desk: Desk) -> list[AnchorView]:
    """Compare what the readers remember with the log.

    Nothing matches of a reader whose table was replaced.
    """
    known, replaced = anchors(desk.log)
    with snapshot(desk.log) as cursor:
        rows = rows_at(cursor, [each.position for each in known])
    held = {row.position: row.chain for row in rows}
    return [
        AnchorView(
            whose=each.whose,
            position=each.position,
            matches=held.get(each.position) == each.chain,
        )
        for each in known
    ] + [
        AnchorView(whose=f"the replaced table of {schema}", position=0, matches=False)
        for schema in replaced
    ]


def _verify(desk: Desk, actor: str, body: VerifyBody) -> VerificationView:
    with desk.log.transaction() as cursor:
        head, found = read_head(cursor).position, kept(cursor)
    after = _start(verified_upto(found), head) if body.after is None else body.after
    upto = min(head, after + VERIFIED_MAX if body.upto is None else body.upto)
    if after > upto:
        raise HttpError(
            422,
            f"there is nothing to verify after position {after}: the log ends at "
            f"{head}, and `upto` must be later than `after`",
            code="invalid",
        )
    try:
        part = verify_part(desk.log, after, upto)
    except LookupError as error:
        raise HttpError(404, f"{error}: run `permanence audit verify`") from error
    return _kept(desk, actor, part)


def _start(reached: int, head: int) -> int:
    """Return where to go on: where verifications end, or at the beginning again."""
    return reached if reached < head else max(0, head - VERIFIED_MAX)


def _kept(desk: Desk, actor: str, part: PartVerified) -> VerificationView:
    finding = part.finding
    verification = Verification(
        desk.clock(),
        actor,
        part.after,
        part.upto,
        part.chain,
        finding.sentence if finding else None,
        finding.position if finding else None,
    )
    with desk.log.transaction() as cursor:
        keep(cursor, verification)
    return _view(Kept(verification, holds=True))


def _view(each: Kept) -> VerificationView:
    of = each.verification
    return VerificationView(
        verified_at=of.at,
        verified_by=of.by,
        after=of.after,
        upto=of.upto,
        chain=of.chain.hex(),
        finding=of.finding,
        found_at=of.found_at,
        holds=each.holds,
    )
