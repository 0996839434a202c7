"""How callers show who they are, as the OpenAPI document names it."""

from collections.abc import Mapping

from docs.generate.doors.door import Key, Schema

_KEY = "The key of a source, made with `permanence token create --scope source`"


def _in_header(name: str, says: str) -> Schema:
    return {"type": "apiKey", "in": "header", "name": name, "description": says}


SCHEMES: Mapping[Key, Schema] = {
    "key": {"type": "http", "scheme": "bearer", "description": f"{_KEY}."},
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a person, made with `permanence token create`.",
    },
    "routing_key": _in_header(
        "X-Routing-Key", f"{_KEY}; it may stand in the body as `routing_key` instead."
    ),
    "genie_key": _in_header("Authorization", f"{_KEY}, as `GenieKey <key>`."),
    "alerta_key": _in_header("Authorization", f"{_KEY}, as `Key <key>`."),
}
