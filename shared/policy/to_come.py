"""Fields that a policy may have already, though nothing acts on them yet."""

from collections.abc import Iterator

from pydantic import Field

from shared.mistake import Path, Wrong
from shared.policy.clause import Clause

MARK = "x-to-come"
"""In the JSON schema: the field is kept, and does nothing yet."""
TO_COME = Field(json_schema_extra={MARK: True})
"""Annotates such a field."""


def idle(clause: Clause, path: Path = ()) -> Iterator[Wrong]:
    """Give each field of `clause` that was set and does nothing yet."""
    for name in sorted(clause.model_fields_set):
        field, value = type(clause).model_fields[name], getattr(clause, name)
        here = (*path, field.alias or name)
        extra = field.json_schema_extra
        if isinstance(extra, dict) and MARK in extra:
            if value not in (None, {}):
                yield here, "is kept, and does nothing yet"
        elif isinstance(value, Clause):
            yield from idle(value, here)
