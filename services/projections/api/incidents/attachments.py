"""Endpoints for the files attached to an incident: list, download, preview, attach.

Nothing of a file is shown inside a page as its sender made it: it is downloaded, or an
image is encoded again. Files of incidents that were merged into one are found there.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Annotated, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Request, Response

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeCommander, SomeReader, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.views import AttachmentView, LeftOutView
from services.projections.api.intake.forwarding import passed_on
from services.projections.api.limits import ATTACHMENT_BYTES_MAX
from services.projections.api.position import history, known
from services.projections.api.query_params import InstantQuery, Nothing, Ref
from services.projections.api.redaction import seen_of
from services.projections.api.unreadable import UnreadableView, unreadable_views
from services.projections.generations import AsOf
from services.projections.history.attachments import (
    Attachment,
    attachments,
    left_out,
)
from services.projections.history.past import past_of
from services.projections.log_queries import each_of
from services.projections.snapshots import snapshot
from shared.attachments.content import UnreadableContent, load
from shared.attachments.schemas import AttachmentAnswer
from shared.database.cursors import Cursors
from shared.domain import events
from shared.domain.identifiers import IncidentRef, incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog, Row
from shared.eventlog.unreadable import UnreadableEvent
from shared.http.bodies import FILE_SECONDS_MAX
from shared.http.command_headers import CommandHeaders
from shared.http.problem_details import HttpError
from shared.security.access import Caller

router = APIRouter(tags=["attachments"])

MERGED_MAX = 200
"""Merged incidents whose files are shown with the one they were merged into."""
_GONE = 410
_PATH = "/v1/incidents/{ref}/attachments"
_ONE = f"{_PATH}/{{attachment}}"
AttachmentPath = Annotated[events.AttachmentId, Path(description="An id of the list.")]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"}
            },
        },
    }
}
_SANDBOX = "default-src 'none'; sandbox"
_HEADERS = {
    "Content-Security-Policy": _SANDBOX,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "none",
}


class AttachmentList(Answer):
    """The files of an incident, the oldest first, and those that were not kept."""

    incident: IncidentRef
    items: list[AttachmentView]
    left_out: list[LeftOutView]
    unreadable: list[UnreadableView]
    """Events about the incidents that could not be used: they may be about files."""
    as_of: AsOf


class UploadQuery(Nothing):
    """The name of a file that is sent as the plain body."""

    name: str | None = None
    """With a form, the name in the form counts."""


@router.post(
    _PATH,
    status_code=201,
    response_model=AttachmentAnswer,
    responses=refusals(400, 404, 409, 413, 415),
    openapi_extra=_BODY,
)
async def attach_file(  # documented here, passed on
    request: Request,
    desk: DeskHere,
    _ref: Annotated[Ref, Path(alias="ref")],
    _: SomeCommander,
    _query: Annotated[UploadQuery, Query()],
    _headers: Annotated[CommandHeaders, Header()],
) -> Response:
    """Attach a file: as a form with the field `file`, or as the plain body.

    With an `Idempotency-Key`, a repeat gets the same answer; the same content is
    attached to an incident once.
    """
    return await passed_on(request, desk, ATTACHMENT_BYTES_MAX, FILE_SECONDS_MAX)


@router.get(_PATH, responses=refusals(404))
async def get_attachments(
    ref: Ref,
    query: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> AttachmentList:
    """List the files of an incident, and of those that were merged into it."""
    return await desk.blocking(_list, desk, ref, query, caller)


@router.get(
    _ONE,
    responses={
        200: {"content": {"application/octet-stream": {}}},
        **refusals(404, 409, 410),
    },
    response_class=Response,
)
async def download(
    ref: Ref, attachment: AttachmentPath, desk: DeskHere, caller: SomeReader
) -> Response:
    """Download a file, as it was sent. `X-Scan` says what the virus scanner found."""
    file, content = await desk.blocking(_content, desk, ref, attachment, caller)
    headers = {
        **_HEADERS,
        "Content-Disposition": _disposition(file.name or "file"),
        "X-Scan": file.scan,
    }
    return Response(content, headers=headers, media_type="application/octet-stream")


@router.get(
    f"{_ONE}/preview",
    responses={200: {"content": {"image/png": {}}}, **refusals(404, 409, 410)},
    response_class=Response,
)
async def preview(
    ref: Ref, attachment: AttachmentPath, desk: DeskHere, caller: SomeReader
) -> Response:
    """Show an image, encoded again: no byte of the original is in it."""
    file, content = await desk.blocking(_content, desk, ref, attachment, caller)
    if not file.has_preview:
        raise HttpError(
            409, f"{file.media_type} has no preview: download it", code="no_preview"
        )
    image = await desk.previews.preview(content)
    headers = {**_HEADERS, "Content-Disposition": 'inline; filename="preview.png"'}
    return Response(image, headers=headers, media_type="image/png")


def _list(desk: Desk, ref: str, query: InstantQuery, caller: Caller) -> AttachmentList:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, query.at, query.min_position)
        entries, unreadable = _history(desk.log, cursor, ref, upto, caller)
    return AttachmentList(
        incident=ref,
        items=[AttachmentView.model_validate(each) for each in attachments(entries)],
        left_out=[LeftOutView.model_validate(each) for each in left_out(entries)],
        unreadable=unreadable_views(unreadable, sight_of(caller)),
        as_of=upto,
    )


def _content(
    desk: Desk, ref: str, attachment: str, caller: Caller
) -> tuple[Attachment, bytes]:
    """Return a file with its content; raises `HttpError` if it may not be had."""
    with snapshot(desk.log) as cursor:
        known_now = known(cursor, None, 0)
        past = _history(desk.log, cursor, ref, known_now, caller)
        file = _file(attachments(past.entries), ref, attachment)
        try:
            content = load(
                cursor, desk.log.vault, file.incident, attachment, file.sha256
            )
        except UnreadableContent as error:
            raise HttpError(
                503, f"{error}", code="content_changed", retry_after=3_600
            ) from error
    if content is None:
        raise _gone("its owner was forgotten, and its content with them")
    return file, content


def _file(known: Sequence[Attachment], ref: str, attachment: str) -> Attachment:
    file = next((each for each in known if each.attachment == attachment), None)
    if file is None:
        raise HttpError(
            404,
            f"{ref} has no attachment {attachment}: its list has them all",
            code="unknown_attachment",
        )
    if file.removed_at is not None:
        raise _gone("it was removed")
    if file.name is None:
        raise _gone("its owner was forgotten, and its content with them")
    if file.scan == "infected":
        raise HttpError(
            409,
            f"the virus scanner found {file.signature}: the file is kept, but nobody "
            "gets it; a manager may remove it",
            code="infected",
        )
    return file


def _gone(why: str) -> HttpError:
    return HttpError(_GONE, f"the file is gone: {why}", code="gone")


class _Events(NamedTuple):
    """Events of an incident and of those merged into it, and what cannot be read."""

    entries: Sequence[Entry]
    unreadable: Sequence[UnreadableEvent]


def _history(
    log: EventLog, cursor: Cursors, ref: str, upto: AsOf, caller: Caller
) -> _Events:
    """Return the events of an incident and of those merged into it, in order.

    Of one that was merged, the caller must see where it came from as well.
    """
    sight = sight_of(caller)
    past = history(log, cursor, ref, upto, sight)
    entries, unreadable = [*past.entries], [*past.unreadable]
    merged = _absorbed(entries)
    waiting = sorted(seen_of(log, cursor, sight, merged))
    while waiting and len(merged) <= MERGED_MAX:
        streams = [incident_stream(each) for each in waiting]
        found: list[Entry] = []
        read = each_of(log, cursor, streams, upto.position)
        for _, own in groupby(sorted(read, key=_stream_of), _stream_of):
            other = past_of(own)
            found += other.entries
            unreadable += other.unreadable
        entries += found
        further = _absorbed(found) - merged
        merged |= further
        waiting = sorted(seen_of(log, cursor, sight, further))
    return _Events(sorted(entries, key=attrgetter("position")), unreadable)


def _stream_of(read: tuple[Row, object]) -> str:
    return read[0].stream


def _absorbed(entries: Sequence[Entry]) -> set[str]:
    return {
        entry.event.merged
        for entry in entries
        if isinstance(entry.event, events.IncidentAbsorbed)
    }


def _disposition(name: str) -> str:
    """Return the header that makes a browser save a file under its name (RFC 6266)."""
    plain = "".join(
        each if each.isascii() and each.isprintable() and each not in '"\\%;' else "_"
        for each in name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
