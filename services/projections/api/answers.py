"""The forms of an answer, JSON or rows, and how OpenAPI describes them.

Rows are requested by `format` or by `Accept`. As CSV (`csv`, `text/csv`) there is one
row for each item and one column for each field; nested fields are named with a dot
(`counts.open`). As JSON Lines (`jsonl`, `application/jsonl`) each line is an item as
JSON has it. The `Link` header names the next page.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from services.projections.api.query_params import TableQuery, TableShape
from shared.http.problem_details import phrase

Cells = Mapping[str, object]
_ACCEPT_MAX = 512
_MEDIA = re.compile(
    r"\s*([\w*.+-]+/[\w*.+-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*", re.ASCII
)
Rows = Literal["csv", "jsonl"]
"""The forms of an answer as rows."""
_MEDIA_TYPES: Mapping[str, Rows | Literal["json"]] = {
    "application/json": "json",
    "text/csv": "csv",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that make a spreadsheet run a text that begins with them."""
_CURSORS = {"next_cursor": "cursor", "next_before": "before", "next_after": "after"}
"""The fields of an answer that name the next page, and their query parameters."""


class Answer(BaseModel):
    """An answer; it can be built from the attributes of an object."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, use_attribute_docstrings=True
    )


PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Headers of answers by a link: its address contains the key."""
_COME_AGAIN = {
    "headers": {
        "Retry-After": {
            "description": "In so many seconds it may be asked again.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        }
    }
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI descriptions of an endpoint's refusals."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {
            "description": phrase(status),
            "content": {"application/problem+json": {"schema": schema}},
            **(_COME_AGAIN if status in {429, 503} else {}),
        }
        for status in (401, 403, *statuses, 422, 429, 503)
    }


def body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI description of a body that its owner parses."""
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def tabular(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of an endpoint with rows, and its refusals."""
    rows = {"schema": {"type": "string", "description": "A line an item."}}
    content = {"text/csv": rows, "application/jsonl": rows}
    return {200: {"content": content}, **refusals(*statuses)}


def shown(
    request: Request,
    query: TableQuery,
    answer: BaseModel,
    rows: Iterable[Cells] | None = None,
) -> BaseModel | Response:
    """Return `answer`, or its items or `rows` as rows if these are requested."""
    form = rows_wanted(request, query)
    if form is None:
        return answer
    whole = answer.model_dump(mode="json", by_alias=True)
    if rows is None:
        return rows_of(request, form, whole, whole["items"], type(answer))
    return rows_of(request, form, whole, rows)


def rows_of(
    request: Request,
    form: Rows,
    whole: Cells,
    rows: Iterable[Cells],
    kind: type[BaseModel] | None = None,
) -> Response:
    """Return the rows of the answer `whole`; `kind` names the columns of no rows."""
    headers = {"Vary": "Accept", "Content-Disposition": _filename(request, form)}
    for field, parameter in _CURSORS.items():
        if whole.get(field) is not None:
            onward = request.url.include_query_params(
                **{parameter: whole[field], "format": form}
            )
            link = f"{onward.path}?{onward.query}"
            headers["Link"] = f'<{link}>; rel="next"'
    if form == "jsonl":
        body = b"".join(
            orjson.dumps(row, None, orjson.OPT_APPEND_NEWLINE) for row in rows
        )
        return Response(body, media_type="application/jsonl", headers=headers)
    lines = [dict(_cells(row)) for row in rows]
    text = _written(lines, _fields(kind) if kind and not lines else ())
    header = "present" if text.strip() else "absent"
    return Response(text, media_type=f"text/csv; header={header}", headers=headers)


def rows_wanted(request: Request, query: TableQuery | TableShape) -> Rows | None:
    """Return the form in which rows are requested, None for JSON."""
    if query.format is not None:
        return None if query.format == "json" else query.format
    liked: dict[Rows | Literal["json"], float] = {"json": 0}
    for media in request.headers.get("accept", "")[:_ACCEPT_MAX].split(","):
        if (read := _MEDIA.fullmatch(media)) and read[1].lower() in _MEDIA_TYPES:
            form = _MEDIA_TYPES[read[1].lower()]
            liked[form] = max(liked.get(form, 0), float(read[2] or 1))
    best = max(liked, key=lambda form: liked[form])  # JSON of those liked equally
    return None if best == "json" else best


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


def _filename(request: Request, form: Rows) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", request.url.path.lower().removeprefix("/v1"))
    return f'attachment; filename="{name.strip("-")[:64]}.{form}"'
