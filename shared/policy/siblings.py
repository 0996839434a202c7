"""The fields that may stand beside a word that a policy does not know."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

Schema = Mapping[str, Any]


def siblings(model: type[BaseModel], path: Sequence[int | str]) -> set[str]:
    """Return the fields there are at `path`, a location as pydantic tells it."""
    whole = _schema(model)
    here = [whole]
    for step in path:
        choices = [choice for each in here for choice in _choices(each, whole)]
        below = [part for each in choices if (part := _below(each, step)) is not None]
        # Else pydantic names the branch of a union that it took.
        here = below or [each for each in choices if _is(each, step)] or choices
    return {
        field
        for each in here
        for choice in _choices(each, whole)
        for field in choice.get("properties", ())
    }


@cache
def _schema(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _choices(schema: Schema, whole: Schema) -> Iterator[Schema]:
    match schema:
        case {"$ref": str(target)}:
            yield from _choices(whole["$defs"][target.rpartition("/")[2]], whole)
        case {"anyOf": parts} | {"oneOf": parts}:
            for part in parts:
                yield from _choices(part, whole)
        case _:
            yield schema


def _below(schema: Schema, step: int | str) -> Schema | None:
    match schema:
        case {"properties": fields} if step in fields:
            found: Schema = fields[step]
        case {"patternProperties": values}:
            found = next(iter(values.values()))
        case {"additionalProperties": Mapping() as found}:
            pass
        case {"items": found} if isinstance(step, int):
            pass
        case _:
            return None
    return found


def _is(schema: Schema, tag: int | str) -> bool:
    fields = schema.get("properties", {})
    return any(
        tag == field.get("const") or tag in field.get("enum", ())
        for field in fields.values()
    )
