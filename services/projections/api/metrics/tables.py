"""Lists and metrics as CSV, if the client asks for a table instead of JSON.

Requested by `format=csv` or `Accept: text/csv`. One row for each item, one column for
each field; nested fields are named with a dot (`counts.open`). The `Link` header names
the next page.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from services.projections.api.query_params import QueryParams, refusals

Cells = Mapping[str, object]
_ACCEPT_MAX = 512
_MEDIA = re.compile(
    r"\s*([\w*.+-]+/[\w*.+-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*", re.ASCII
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that make a spreadsheet run a text that begins with them."""
_CURSORS = {"next_cursor": "cursor", "next_before": "before", "next_after": "after"}
"""The fields of an answer that name the next page, and their query parameters."""


class TableQuery(QueryParams):
    """A query whose answer may be a table."""

    format: Literal["json", "csv"] | None = None
    """`csv`: a table for a spreadsheet. Default: the first choice of `Accept`."""


class TableShape(BaseModel):
    """The format of an answer of intake; the other parameters are passed to it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    format: Literal["json", "csv"] | None = None
    """`csv`: a table for a spreadsheet. Default: the first choice of `Accept`."""


def tabular(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of an endpoint with tables, and its refusals."""
    table = {"schema": {"type": "string", "description": "A line an item."}}
    return {200: {"content": {"text/csv": table}}, **refusals(*statuses)}


def shown(
    request: Request,
    asked: TableQuery,
    answer: BaseModel,
    rows: Iterable[Cells] | None = None,
) -> BaseModel | Response:
    """Return `answer`, or a table of its items or of `rows` if one is requested."""
    if not wants_table(request, asked):
        return answer
    whole = answer.model_dump(mode="json", by_alias=True)
    if rows is None:
        return table_of(request, whole, whole["items"], type(answer))
    return table_of(request, whole, rows)


def table_of(
    request: Request,
    whole: Cells,
    rows: Iterable[Cells],
    kind: type[BaseModel] | None = None,
) -> Response:
    """Return rows of the answer `whole` as a table; `kind` names columns of no rows."""
    lines = [dict(_cells(row)) for row in rows]
    headers = {"Vary": "Accept", "Content-Disposition": _filename(request)}
    for field, parameter in _CURSORS.items():
        if whole.get(field) is not None:
            onward = request.url.include_query_params(
                **{parameter: whole[field], "format": "csv"}
            )
            link = f"{onward.path}?{onward.query}"
            headers["Link"] = f'<{link}>; rel="next"'
    text = _written(lines, _fields(kind) if kind and not lines else ())
    header = "present" if text.strip() else "absent"
    return Response(text, media_type=f"text/csv; header={header}", headers=headers)


def wants_table(request: Request, asked: TableQuery | TableShape) -> bool:
    """Return whether a table is requested instead of JSON."""
    if asked.format is not None:
        return asked.format == "csv"
    wanted: dict[str, float] = {}
    for media in request.headers.get("accept", "")[:_ACCEPT_MAX].split(","):
        if read := _MEDIA.fullmatch(media):
            wanted.setdefault(read[1].lower(), float(read[2] or 1))
    return wanted.get("text/csv", 0) > wanted.get("application/json", 0)


def _cells(row: Cells, before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, dict) and value:
            yield from _cells(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", _cell(value)


def _cell(value: object) -> object:
    match value:
        case None | {}:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return _words(value)
        case list() if any(isinstance(each, dict | list) for each in value):
            return orjson.dumps(value).decode()
        case list():
            return _words(" ".join(map(str, value)))
        case _:
            return value


def _words(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _fields(kind: type[BaseModel]) -> Sequence[str]:
    """Return the fields of an item, for a table without rows."""
    described = kind.model_json_schema(mode="serialization")
    item = described["properties"]["items"]["items"]["$ref"].rpartition("/")[2]
    return tuple(described["$defs"][item]["properties"])


def _written(lines: Sequence[Cells], empty: Sequence[str]) -> str:
    columns = list(dict.fromkeys(name for line in lines for name in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or empty, restval="")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _filename(request: Request) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", request.url.path.lower().removeprefix("/v1"))
    return f'attachment; filename="{name.strip("-")[:64]}.csv"'
