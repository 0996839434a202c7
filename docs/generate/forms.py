"""The form of a field in plain words, from its JSON schema."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_PLAIN = {
    "integer": "whole number",
    "boolean": "`true` or `false`",
    "object": "object",
}

_EXAMPLES = {
    "INC-": "`INC-000042`",
    "person|": "`person:nadia`",
    "[A-Z]": "`PRB-1`",
    "[0-9a-f]{64}": "SHA-256 in hex",
    "0-9A-Za-z": "a name",
    "a-z": "a name",
}


def form(schema: Schema, defs: Mapping[str, Schema]) -> str:
    """Return what a value looks like, in a table cell of Markdown."""
    match schema:
        case {"$ref": target}:
            return form(defs[target.rpartition("/")[2]], defs)
        case {"anyOf": choices} | {"oneOf": choices}:
            said = [form(c, defs) for c in choices if c.get("type") != "null"]
            return " or ".join(dict.fromkeys(said))
        case {"items": items} | {"prefixItems": [items, *_]}:
            return f"list of {form(items, defs)}"
        case {"additionalProperties": dict(values)}:
            return f"by name: {form(values, defs)}"
        case _:
            return _scalar(schema)


def _scalar(schema: Schema) -> str:
    match schema:
        case {"const": word}:
            return f"`{word}`"
        case {"enum": words}:
            return ", ".join(f"`{word}`" for word in words)
        case {"type": "string"}:
            return _text(schema)
        case _:
            return _PLAIN.get(schema.get("type", ""), "any JSON")


def _text(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "instant"
    if schema.get("format") == "path":
        return "path"
    for part, example in _EXAMPLES.items():
        if part in schema.get("pattern", ""):
            return example
    return "text"
