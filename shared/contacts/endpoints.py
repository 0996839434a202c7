"""The endpoints of the public form: a page without an account, and its JSON equivalent.

The form has no session, so CSRF is not a concern: a form sent from another site sends
only what anyone may send.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.contacts.form import KEY_REUSED, Form, FormDesk, ReportAnswer, SentFile
from shared.domain.commands.contact import Report
from shared.http.bodies import (
    BODY_SECONDS_MAX,
    COMMAND_BYTES_MAX,
    FILE_SECONDS_MAX,
    read_object,
    validated,
)
from shared.http.error_responses import Endpoint, answered, place_of, problem_of
from shared.http.form_limits import address_of
from shared.http.multipart import form_parts, is_form_with_files
from shared.http.problem_details import HttpError
from shared.i18n.catalog import LANGUAGES, Language
from shared.i18n.formats import is_language
from shared.web.accessibility import PLACE as STATEMENT
from shared.web.accessibility import statement
from shared.web.language import keep_language, language_of, liked
from shared.web.rendering import Pages, refusal_text

FORM_BYTES_MAX = 25 * 1024 * 1024
"""A form with all its files."""
REPORT_BYTES_MAX = 100_000
"""10 000 characters, each at worst encoded as `%F0%9F%98%A1`."""
FIELDS_MAX = 20
FILE_FIELD = "file"
_FIELDS = frozenset(Report.model_fields)
_PAGES = Pages(Path(__file__).parent)


@dataclass(frozen=True)
class Given:
    """The values of a submitted form, shown again if it was refused."""

    key: str
    email: str = ""
    service: str = ""
    words: str = ""
    trap: str = ""
    chose_files: bool = False
    """A browser does not keep the chosen files: they have to be chosen again."""


def form_routes(form: FormDesk) -> list[Route]:
    """Return all routes of the form, with the style of its page."""

    def route(path: str, endpoint: Endpoint, method: str) -> Route:
        shown = path.startswith("/v1/")
        return Route(
            path, answered(endpoint), methods=[method], include_in_schema=shown
        )

    return [
        route("/report", partial(get_page, form), "GET"),
        route("/report", partial(post_page, form), "POST"),
        route("/assets/{name}", _get_asset, "GET"),
        route(STATEMENT, _get_statement, "GET"),
        route("/v1/reports/form", partial(_get_form, form), "GET"),
        route("/v1/reports", partial(_post_report, form), "POST"),
    ]


async def posted_report(form: FormDesk, request: Request) -> ReportAnswer:
    """Take the report in the body of a request. Raises `HttpError`."""
    form.require_open()
    files: Sequence[SentFile] = ()
    if is_form_with_files(request):
        fields, files = await _form_fields(form, request)
        named = {
            key: value for key, value in fields.items() if key in _FIELDS and value
        }
        report = validated(Report, named, "report")
    else:
        async with form.keyless.body(
            request, COMMAND_BYTES_MAX, seconds=BODY_SECONDS_MAX
        ):
            report = validated(Report, await read_object(request), "report")
    language = liked(request.headers.get("accept-language", ""))
    address = address_of(request, form.trusted)
    return await form.take(report, address, language, files)


async def _get_form(form: FormDesk, request: Request) -> Response:
    asked = request.query_params.get("lang")
    if asked is not None and not is_language(asked):
        written = " or ".join(f"`{each}`" for each in sorted(LANGUAGES))
        raise HttpError(422, f"`lang` is not a language of the form: write {written}")
    language = asked or liked(request.headers.get("accept-language", ""))
    return _json(await form.offer(language))


async def _post_report(form: FormDesk, request: Request) -> Response:
    return _json(await posted_report(form, request), HTTPStatus.CREATED)


async def _get_asset(request: Request) -> Response:
    name = request.path_params["name"]
    found = _PAGES.asset(name)
    if found is None:
        raise HttpError(404, f"there is nothing at /assets/{name[:64]}")
    return found


async def _get_statement(request: Request) -> Response:
    return statement(_PAGES, request)


async def get_page(form: FormDesk, request: Request) -> Response:
    """Show the form."""
    language = language_of(request)
    shown = await _shown(form, request, language, Given(_new_key()))
    keep_language(request, shown)
    return shown


async def post_page(form: FormDesk, request: Request) -> Response:
    """Take a submitted form, and show the reference."""
    try:
        given, language, files = await _given(form, request)
    except HttpError as error:  # too large, too slow or malformed
        language, given = language_of(request), Given(_new_key())
        why, status = _why(language, error), error.details.status
        return await _shown(form, request, language, given, why, status)
    if given.trap:
        why = refusal_text(language, "trapped")
        return await _shown(form, request, language, given, why)
    body = {
        "email": given.email,
        "words": given.words,
        "key": given.key,
        "language": language,
        **({"service": given.service} if given.service else {}),
    }
    try:
        form.require_open()
        report = validated(Report, body, "report")
        address = address_of(request, form.trusted)
        done = await form.take(report, address, language, files)
    except Exception as error:  # noqa: BLE001 # what was written is given back
        no = problem_of(error, place_of(request))
        why = _why(language, no)
        if no.details.code == KEY_REUSED:  # sent again, it is a new report
            given = replace(given, key=_new_key())
        if files:
            given = replace(given, chose_files=True)
        return await _shown(form, request, language, given, why, no.details.status)
    return _PAGES.page(
        "report.html", language, HTTPStatus.CREATED, given=given, done=done
    )


async def _shown(
    form: FormDesk,
    request: Request,
    language: Language,
    given: Given,
    why: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    offered: Form | None = None
    try:
        offered = await form.offer(language)
    except Exception as error:  # noqa: BLE001 # whatever it is, a page says so
        no = problem_of(error, place_of(request))
        status, why = no.details.status, why or _why(language, no)
    return _PAGES.page(
        "report.html", language, status, given=given, form=offered, why=why
    )


async def _given(
    form: FormDesk, request: Request
) -> tuple[Given, Language, Sequence[SentFile]]:
    files: Sequence[SentFile] = ()
    if is_form_with_files(request):
        fields, files = await _form_fields(form, request)
    else:
        fields = await _url_encoded(form, request)
    given = Given(
        fields.get("key") or _new_key(),
        fields.get("email", ""),
        fields.get("service", ""),
        fields.get("words", ""),
        fields.get("trap", ""),
    )
    chosen = fields.get("lang", "")
    return given, chosen if is_language(chosen) else language_of(request), files


async def _url_encoded(form: FormDesk, request: Request) -> Mapping[str, str]:
    async with form.keyless.body(
        request, REPORT_BYTES_MAX, seconds=BODY_SECONDS_MAX
    ) as raw:
        written = raw.decode("ascii", "replace")
    try:
        fields = parse_qs(written, max_num_fields=FIELDS_MAX)
    except ValueError:  # too many fields
        return {}
    return {name: values[0].strip() for name, values in fields.items()}


async def _form_fields(
    form: FormDesk, request: Request
) -> tuple[Mapping[str, str], Sequence[SentFile]]:
    """Return the fields and the files of a form; `HttpError` if it is malformed."""
    async with form.with_files.body(
        request, FORM_BYTES_MAX, seconds=FILE_SECONDS_MAX
    ) as raw:
        parts = form_parts(request, raw)
    fields = {
        part.name: part.text.replace("\r\n", "\n").strip()
        for part in reversed(parts)
        if part.filename is None
    }
    files = [
        SentFile(part.filename, bytes(part.content))
        for part in parts
        if part.filename and part.name == FILE_FIELD
    ]
    return fields, files


def _why(language: Language, no: HttpError) -> str:
    """Return why it was refused, in the reader's language: which field, if known."""
    details = no.details
    if details.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return refusal_text(language, "files_too_large")
    is_of_a_field = details.code != KEY_REUSED
    if details.status == HTTPStatus.UNPROCESSABLE_ENTITY and is_of_a_field:
        wrong = {str(each["loc"][-1]) for each in details.errors if each["loc"]}
        field = next((name for name in ("email", "words") if name in wrong), "report")
        return refusal_text(language, field)
    return refusal_text(language, details.code, details.detail)


def _json(shown: Form | ReportAnswer, status: int = HTTPStatus.OK) -> Response:
    return Response(shown.model_dump_json(), status, media_type="application/json")


def _new_key() -> str:
    return secrets.token_urlsafe(24)
