"""Events of every type with any values their schema allows, for property tests."""

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from shared.domain.events.event import Event
from shared.eventlog.codec import personal_fields

MARK = "nobody-else-may-read-this"

_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
_INSTANTS = st.datetimes(datetime(1970, 1, 1), timezones=_ZONES).map(datetime.isoformat)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def any_document(kind: type[Event]) -> st.SearchStrategy[dict[str, Any]]:
    """Give documents that `kind` takes, each personal word of them with the mark."""
    schema = kind.model_json_schema()
    return _any(schema, schema.get("$defs", {})).map(
        lambda document: {
            field: _marked(value) if field in personal_fields(kind) else value
            for field, value in {**document, "whose": "person:ada"}.items()
        }
    )


def _marked(value: Any) -> Any:
    match value:
        case str():
            return MARK + value
        case dict():
            return {MARK + key: MARK + inner for key, inner in value.items()}
        case _:
            return value


def _any(schema: dict[str, Any], defs: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema:
        case {"$ref": ref}:
            return _any(defs[ref.rpartition("/")[2]], defs)
        case {"anyOf": choices}:
            return st.one_of(*(_any(choice, defs) for choice in choices))
        case {"type": "object", "properties": properties}:
            needed = set(schema.get("required", ())) | {"type"}
            fields = {name: _any(inner, defs) for name, inner in properties.items()}
            return st.fixed_dictionaries(
                {name: field for name, field in fields.items() if name in needed},
                optional={n: field for n, field in fields.items() if n not in needed},
            )
        case {"type": "object"}:
            return _any_mapping(schema, defs)
        case {"type": "array", "items": dict(items)}:
            return st.lists(_any(items, defs), max_size=3)
        case _:
            return _any_scalar(schema)


def _any_mapping(
    schema: dict[str, Any], defs: dict[str, Any]
) -> st.SearchStrategy[Any]:
    match schema:
        case {"patternProperties": dict(patterns)}:
            (pattern, values), *_ = patterns.items()
            names = st.from_regex(pattern, fullmatch=True)
            return st.dictionaries(names, _any(values, defs), max_size=3)
        case {"propertyNames": {"enum": names}, "additionalProperties": values}:
            keys = st.sampled_from(names)
            return st.dictionaries(keys, _any(values, defs), max_size=3)
        case {"additionalProperties": dict(values)}:
            return st.dictionaries(st.text(), _any(values, defs), max_size=3)
        case _:
            return _JSON


def _any_scalar(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema:
        case {"const": value}:
            return st.just(value)
        case {"enum": values}:
            return st.sampled_from(values)
        case {"type": "string"}:
            return _any_text(schema)
        case {"type": "integer"}:
            low = schema.get("minimum", -(2**53))
            return st.integers(low, schema.get("maximum", 2**53))
        case {"type": kind}:
            floats = st.floats(allow_nan=False, allow_infinity=False)
            others = {"boolean": st.booleans(), "null": st.none(), "number": floats}
            return others[kind]
        case _:
            return _JSON


def _any_text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    match schema:
        case {"format": "date-time"}:
            return _INSTANTS
        case {"pattern": pattern}:
            return st.from_regex(pattern, fullmatch=True)
        case _:
            low = schema.get("minLength", 0)
            return st.text(min_size=low, max_size=schema.get("maxLength", 40))
