"""The body of a command: a JSON object, or nothing."""

from typing import Any

from starlette.requests import Request

from services.projections.api.limits import COMMAND_BYTES_MAX, COMMAND_DEPTH_MAX
from shared.http.bodies import document_in, read_body, require_json
from shared.problem import Problem


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a command; an empty body is an empty object.

    `Problem` 400 for no JSON or too deep a one, 413, 415, 422 for JSON of another kind.
    """
    body = await read_body(request, COMMAND_BYTES_MAX)
    if not body:
        return {}
    require_json(request)
    document = document_in(body, COMMAND_DEPTH_MAX)
    if not isinstance(document, dict):
        raise Problem(
            422,
            "the body is not an object: send `{…}`",
            code="invalid",
            errors=[{"loc": ["body"], "msg": "not an object", "type": "dict_type"}],
        )
    return document
