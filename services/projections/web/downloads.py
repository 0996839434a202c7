"""Downloads of the rows behind a page, as a spreadsheet of its reader opens them.

Browsers send the session in a cookie, which the API does not read, so the rows pass
through here. They are the API's own: only how a table is written depends on the reader.
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.numbers import get_decimal_symbol
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.web.language import language_of

PAGES_MAX = 20
"""How many pages of the API one download reads."""
_KEPT = ("content-type", "content-disposition", "cache-control")
_NEXT = re.compile(r'<([^>]+)>; rel="next"')
_NUMBER = re.compile(r"-?\d+\.\d+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:]{5,8}(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_COMMA = ","
Asked = Mapping[str, str | list[str]]


async def rows_of(
    request: Request, client: ApiClient, path: str, asked: Asked
) -> Response:
    """Return all rows of an answer of the API, as CSV or as lines of JSON.

    Raises `ApiError`, or `HttpError` if there are too many.
    """
    form = "jsonl" if request.query_params.get("format") == "jsonl" else "csv"
    onward = f"{path}?{urlencode({**asked, 'format': form}, doseq=True)}"
    parts: list[bytes] = []
    for _ in range(PAGES_MAX):
        content, headers = await client.content(onward)
        parts.append(content)
        following = _NEXT.search(headers.get("link", ""))
        if following is None:
            break
        onward = following[1]
    else:
        raise HttpError(422, "there are too many rows: choose fewer, or use the API")
    if form == "jsonl":
        body = b"".join(parts)
    else:
        zone = ZoneInfo((await client.get("/v1/me", {}))["zone"])
        body = as_table([part.decode() for part in parts], language_of(request), zone)
    kept = {name: headers[name] for name in _KEPT if name in headers}
    return Response(body, headers=kept)


def as_table(parts: list[str], language: Language, zone: ZoneInfo) -> bytes:
    """Return tables as one, written as spreadsheets in a language expect it.

    Where numbers have a decimal comma, columns are separated by semicolons. Instants
    are in the time zone of the page, without an offset: spreadsheets read none.
    The mark at the beginning says that the text is UTF-8. Parts may differ in columns.
    """
    lines = [line for part in parts for line in csv.DictReader(io.StringIO(part))]
    heads = (next(csv.reader(io.StringIO(part)), []) for part in parts)
    columns = list(dict.fromkeys(name for head in heads for name in head))
    is_comma = get_decimal_symbol(language) == _COMMA
    text = io.StringIO()
    writer = csv.DictWriter(
        text, columns, restval="", delimiter=";" if is_comma else _COMMA
    )
    writer.writeheader()
    for line in lines:
        written = {name: _local(value, zone) for name, value in line.items()}
        if is_comma:
            written = {name: _with_comma(value) for name, value in written.items()}
        writer.writerow(written)
    return text.getvalue().encode("utf-8-sig")


def _local(value: str, zone: ZoneInfo) -> str:
    if not _INSTANT.fullmatch(value):
        return value
    local = datetime.fromisoformat(value).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}"


def _with_comma(value: str) -> str:
    return value.replace(".", _COMMA) if _NUMBER.fullmatch(value) else value
