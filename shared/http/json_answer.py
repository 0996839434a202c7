"""Answers in JSON, with instants in UTC."""

from http import HTTPStatus

import orjson
from starlette.responses import Response


def json_answer(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return `content` as JSON."""
    text = orjson.dumps(content, option=orjson.OPT_UTC_Z)
    return Response(text, status, media_type="application/json")
