"""Values of a document that is not yet known to be a policy, by a pattern of paths."""

from collections.abc import Iterator

from shared.mistake import Path
from shared.yaml12 import Plain

Found = tuple[Path, Plain]


def values(document: Plain, pattern: str) -> Iterator[Found]:
    """Yield what stands at `pattern`, such as `services.*.support.*`.

    `*` is every key of a mapping or place of a list. What is absent or of another
    shape yields nothing.
    """
    found: list[Found] = [((), document)]
    for step in pattern.split("."):
        found = [
            ((*path, key), part)
            for path, value in found
            for key, part in _parts_at(value, step)
        ]
    yield from found


def everything(document: Plain) -> Iterator[Found]:
    """Yield every key and every single value of a document with its path."""
    todo: list[Found] = [((), document)]
    while todo:
        path, value = todo.pop()
        parts = list(_parts(value))
        todo += [((*path, key), part) for key, part in parts]
        if isinstance(value, dict):
            yield from (((*path, key), key) for key in value)
        elif not parts:
            yield path, value


def names(document: Plain, section: str) -> list[str]:
    """Return the names defined in a section, in the order written."""
    return [str(path[-1]) for path, _ in values(document, f"{section}.*")]


def _parts_at(value: Plain, step: str) -> list[tuple[str | int, Plain]]:
    if step == "*":
        return _parts(value)
    if isinstance(value, dict) and step in value:
        return [(step, value[step])]
    return []


def _parts(value: Plain) -> list[tuple[str | int, Plain]]:
    match value:
        case dict():
            return list(value.items())
        case list():
            return list(enumerate(value))
        case _:
            return []
