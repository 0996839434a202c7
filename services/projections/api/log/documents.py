"""Documents to which the log refers, for auditors: policies as they were applied."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from services.projections.api.callers import Auditor
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import Nothing, refusals
from services.projections.snapshots import snapshot
from shared.eventlog.documents import find
from shared.http.problem_details import HttpError

router = APIRouter(tags=["audit"])

Hash = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the document, in hex: `document_hash` of an event.",
    ),
]
_DOCUMENT = {"description": "The document as stored", "content": {
    "application/json": {"schema": {"type": "object"}}
}}  # fmt: skip


@router.get(
    "/v1/documents/{document}",
    response_class=Response,
    responses={200: _DOCUMENT, **refusals(404)},
)
async def get_document(
    document: Hash,
    _asked: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: Auditor,  # noqa: ARG001 # it lets nobody else in
) -> Response:
    """Read a document to which an event refers, by the hash of its bytes."""
    return Response(
        await desk.blocking(_found, desk, document), 200, None, "application/json"
    )


def _found(desk: Desk, wanted: str) -> bytes:
    with snapshot(desk.log) as cursor:
        body = find(cursor, wanted)
    if body is None:
        raise HttpError(
            404,
            "there is no such document: an event names it as `document_hash`",
            code="unknown_document",
        )
    return body
