"""How doors say no: in the form that their callers read."""

from typing import Any, assert_never

from docs.generate.doors.door import JSON, Form, Schema
from shared.http.problem_details import phrase

_COME_AGAIN = (429, 503)
NOT_OURS = (404, 405)
"""What is answered to a path whose parameter makes it that of no door, or another."""
_PAGERDUTYS = {400, 403, 413, 429, 503}
"""All that its clients know; the rest is told as 400."""


def refusals(form: Form, statuses: set[int]) -> dict[str, Any]:
    """Return the answers with these statuses; who may come again is told when."""
    if form == "pagerduty":
        statuses = {each if each in _PAGERDUTYS else 400 for each in statuses}
    return {
        str(status): {
            "description": phrase(status),
            "content": _content(form, status),
            **(_HEADERS if status in _COME_AGAIN else {}),
        }
        for status in sorted(statuses)
    }


_HEADERS = {
    "headers": {
        "Retry-After": {
            "description": "In so many seconds it may be sent again.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        }
    }
}
_TEXT = {"type": "string"}


def _content(form: Form, status: int) -> dict[str, Any]:
    forms: list[Form] = ["problem", form] if status in NOT_OURS else [form]
    return {kind: {"schema": schema} for kind, schema in map(_form, forms)}


def _form(form: Form) -> tuple[str, Schema]:
    match form:
        case "problem":
            reference = {"$ref": "#/components/schemas/ProblemDetails"}
            return "application/problem+json", reference
        case "pagerduty":
            errors = {"type": "array", "items": _TEXT}
            return JSON, _object(status=_TEXT, message=_TEXT, errors=errors)
        case "opsgenie":
            took = {"type": "number"}
            return JSON, _object(message=_TEXT, took=took, requestId=_TEXT)
        case "alerta":
            said = {"const": "error"}
            return JSON, _object(status=said, message=_TEXT, code={"type": "integer"})
        case _:
            assert_never(form)


def _object(**fields: Schema) -> Schema:
    return {
        "type": "object",
        "properties": fields,
        "required": [*fields],
        "additionalProperties": False,
    }
