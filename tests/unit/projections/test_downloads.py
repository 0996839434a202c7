"""Downloads open in a spreadsheet of their reader, with every row."""

import asyncio
import csv
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.projections.web import downloads
from services.projections.web.api_client import ApiClient
from services.projections.web.downloads import as_table, rows_of
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language

PARIS = ZoneInfo("Europe/Paris")
FIRST = "ref,share,at\r\nINC-1,0.5,2025-05-31T22:00:00+00:00\r\n"
SECOND = "ref,share,more\r\nINC-2,1,\"a;b, 'c'\"\r\n"


@pytest.mark.parametrize(
    ("language", "separator", "half"), [("fr", ";", "0,5"), ("en", ",", "0.5")]
)
def test_a_table_is_written_as_spreadsheets_in_the_language_expect_it(
    language: Language, separator: str, half: str
) -> None:
    table = as_table([FIRST, SECOND], language, PARIS)

    assert table.startswith(b"\xef\xbb\xbfref")
    text = io.StringIO(table.decode("utf-8-sig"))
    rows = list(csv.DictReader(text, delimiter=separator))
    assert rows == [
        {"ref": "INC-1", "share": half, "at": "2025-06-01 00:00:00", "more": ""},
        {"ref": "INC-2", "share": "1", "at": "", "more": "a;b, 'c'"},
    ]


@pytest.mark.parametrize(
    "text",
    ["'=1.5", "1.2.3", "v1.2", "2025-06-01", "2025-06-01T10:00", "10.0.0.1", ""],
)
def test_what_is_not_a_number_or_an_instant_stays_as_it_is(text: str) -> None:
    table = as_table([f"a,b\r\n{text},x\r\n"], "fr", PARIS).decode("utf-8-sig")

    assert table.splitlines()[1] == f"{text};x"


def _api(pages: int) -> ApiClient:
    """Return a client of an API that has so many pages, a row each."""

    async def page(request: Request) -> Response:
        number = int(request.query_params.get("cursor", "1"))
        onward = f"</rows?format={request.query_params['format']}&cursor={number + 1}>"
        link = {"Link": f'{onward}; rel="next"'} if number < pages else {}
        if request.query_params["format"] == "jsonl":
            return Response(f'{{"n":{number}}}\n', headers=link)
        return Response(f"n\r\n{number}\r\n", media_type="text/csv", headers=link)

    async def me(_: Request) -> Response:
        return JSONResponse({"zone": "Europe/Paris"})

    return ApiClient(
        Starlette(routes=[Route("/rows", page), Route("/v1/me", me)]), None
    )


def _asked(query: bytes = b"") -> Request:
    scope: dict[str, Any] = {"type": "http", "query_string": query, "headers": []}
    return Request(scope)


def _rows(request: Request, client: ApiClient) -> Response:
    return asyncio.run(rows_of(request, client, "/rows", {}))


def test_a_download_has_the_rows_of_all_pages() -> None:
    table = _rows(_asked(), _api(3))
    lines = _rows(_asked(b"format=jsonl"), _api(3))

    assert table.body == b"\xef\xbb\xbfn\r\n1\r\n2\r\n3\r\n"
    assert table.headers["content-type"].startswith("text/csv")
    assert lines.body == b'{"n":1}\n{"n":2}\n{"n":3}\n'


def test_a_download_is_never_cut_without_a_word() -> None:
    most = downloads.PAGES_MAX
    whole = _rows(_asked(), _api(most))

    assert bytes(whole.body).count(b"\r\n") == most + 1
    with pytest.raises(HttpError, match="too many rows"):
        _rows(_asked(), _api(most + 1))
