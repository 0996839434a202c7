"""Lists and metrics as CSV, where somebody asks for a table rather than for JSON.

By `format=csv` or `Accept: text/csv`. A line an item, a column a field; fields of a
field are named with a dot between (`counts.open`). The next page is in the `Link`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

from services.projections.api.query_params import QueryParams, refusals

Cells = Mapping[str, object]
_ACCEPT_MAX = 512
_MEDIA = re.compile(
    r"\s*([\w*.+-]+/[\w*.+-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*", re.ASCII
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run, were it at the beginning of somebody's words."""
_CURSORS = {"next_cursor": "cursor", "next_before": "before", "next_after": "after"}
"""Which field of an answer tells where the next page begins, by which parameter."""


class TableQuery(QueryParams):
    """A question that may be answered with a table."""

    format: Literal["json", "csv"] | None = None
    """`csv`: a table for a spreadsheet. Left out: what `Accept` likes best."""


def tabular(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how an endpoint documents that it answers with a table, or refuses."""
    table = {"schema": {"type": "string", "description": "A line an item."}}
    return {200: {"content": {"text/csv": table}}, **refusals(*statuses)}


def shown(
    request: Request,
    asked: TableQuery,
    answer: BaseModel,
    rows: Iterable[Cells] | None = None,
) -> BaseModel | Response:
    """Return `answer`, or a table of its items, or of `rows`, if that is asked for."""
    if not _wants_table(request, asked):
        return answer
    whole = answer.model_dump(mode="json", by_alias=True)
    found = [*(whole["items"] if rows is None else rows)]
    lines = [dict(_cells(row)) for row in found]
    empty = _fields(type(answer)) if rows is None else ()
    headers = {"Vary": "Accept", "Content-Disposition": _filename(request)}
    for field, parameter in _CURSORS.items():
        if whole.get(field) is not None:
            onward = request.url.include_query_params(
                **{parameter: whole[field], "format": "csv"}
            )
            link = f"{onward.path}?{onward.query}"
            headers["Link"] = f'<{link}>; rel="next"'
    text = _written(lines, empty)
    return Response(text, media_type="text/csv; header=present", headers=headers)


def _wants_table(request: Request, asked: TableQuery) -> bool:
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
    """Return the fields of an item, for a table without lines."""
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
