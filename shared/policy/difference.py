"""What changes between two documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from shared.mistake import Path


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is added, removed or changed; what is absent is None."""

    path: Path
    kind: Literal["added", "removed", "changed"]
    before: JsonValue
    after: JsonValue


def difference(
    before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]
) -> list[Change]:
    """Return what to change in `before` to get `after`, in the order of paths.

    Lists of one length are compared place by place, others as a whole.
    """
    return list(_mappings((), before, after))


def _mappings(
    path: Path, before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]
) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        here = (*path, key)
        if key not in after:
            yield Change(here, "removed", before[key], None)
        elif key not in before:
            yield Change(here, "added", None, after[key])
        else:
            yield from _values(here, before[key], after[key])


def _values(path: Path, before: JsonValue, after: JsonValue) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _mappings(path, before, after)
    elif (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
    ):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _values((*path, place), old, new)
    elif before != after:
        yield Change(path, "changed", before, after)
