"""Files on the screen of an incident: attached by a form, downloaded, previewed.

Browsers send the session in a cookie, which the API does not read, so files pass
through here. What they answer keeps the headers with which the API makes them safe.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.api.limits import ATTACHMENT_BYTES_MAX
from services.projections.web.actions import KEY
from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.csrf import is_genuine
from services.projections.web.rendering import kept_query, page, refused_text
from services.projections.web.screens import screen
from shared.http.bodies import read_body
from shared.http.multipart import FormPart, form_parts
from shared.http.problem_details import HttpError
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

FORM_BYTES_MAX = 2 * ATTACHMENT_BYTES_MAX
"""All files of one form; each has the limit of the API, too."""
DONE = "attach"


@router.post("/incidents/{ref}/files")
async def post_files(request: Request, ref: str) -> Response:
    """Attach the files of a form, then show the incident."""
    return await screen(request, partial(_attached, ref))


@router.get("/incidents/{ref}/files/{attachment}")
async def get_file(request: Request, ref: str, attachment: str) -> Response:
    """Download a file."""
    return await screen(request, partial(_file, f"{_files(ref)}/{_quoted(attachment)}"))


@router.get("/incidents/{ref}/files/{attachment}/preview")
async def get_preview(request: Request, ref: str, attachment: str) -> Response:
    """Show an image, encoded again."""
    place = f"{_files(ref)}/{_quoted(attachment)}/preview"
    return await screen(request, partial(_file, place))


async def _attached(ref: str, request: Request, client: ApiClient) -> Response:
    try:
        form, files = await _sent(request)
        position = await _attach(ref, form.get(KEY, ""), files, client)
    except ApiError as error:
        if error.is_signed_out:
            raise
        return _refused(request, ref, error.status, error.code, str(error))
    except HttpError as error:
        details = error.details
        return _refused(request, ref, details.status, details.code, details.detail)
    back = kept_query(parse_qsl(form.get("back", "")))
    told = {"done": DONE} | ({"back": back} if back else {})
    if position:
        told["min_position"] = str(position)
    onward = f"/incidents/{_quoted(ref)}?{urlencode(told)}"
    return RedirectResponse(onward, HTTPStatus.SEE_OTHER)


async def _sent(request: Request) -> tuple[Mapping[str, str], Sequence[FormPart]]:
    """Return the fields and the files of a genuine form. Raises `HttpError`."""
    parts = form_parts(request, await read_body(request, FORM_BYTES_MAX))
    form = {part.name: part.text for part in parts if part.filename is None}
    if not is_genuine(request, form):
        raise HttpError(403, "this form was not shown to you", code="form")
    files = [part for part in parts if part.filename]
    if not files:
        raise HttpError(422, "choose the files to attach first", code="no_file")
    return form, files


async def _attach(
    ref: str, key: str, files: Sequence[FormPart], client: ApiClient
) -> int:
    """Attach each file once; return the position of the last. Raises `ApiError`."""
    position = 0
    for number, part in enumerate(files):
        headers = {"Idempotency-Key": f"{key or 'files'}-{number}"}
        name = {"name": part.filename or ""}
        answer = await client.upload(_files(ref), bytes(part.content), name, headers)
        position = max([position, *answer.get("positions", ())])
    return position


def _refused(
    request: Request, ref: str, status: int, code: str | None, sentence: str
) -> Response:
    language = language_of(request)
    why, again = (
        refused_text(code or "", language, sentence),
        f"/incidents/{_quoted(ref)}",
    )
    return page("refused.html", language, status, why=why, again=again)


async def _file(place: str, _: Request, client: ApiClient) -> Response:
    content, headers = await client.content(place)
    return Response(content, headers=_kept(headers))


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that make a file safe, and say what it is."""
    names = (
        "content-type",
        "content-disposition",
        "content-security-policy",
        "cross-origin-resource-policy",
        "cache-control",
        "x-content-type-options",
        "x-scan",
    )
    return {name: headers[name] for name in names if name in headers}


def _files(ref: str) -> str:
    return f"/v1/incidents/{_quoted(ref)}/attachments"


def _quoted(text: str) -> str:
    return quote(text, safe="")
