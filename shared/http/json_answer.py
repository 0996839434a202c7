"""Answers in JSON, with instants in UTC."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.responses import Response


def json_answer(
    content: object,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return `content` as JSON."""
    text = orjson.dumps(content, option=orjson.OPT_UTC_Z)
    return Response(text, status, headers, "application/json")
