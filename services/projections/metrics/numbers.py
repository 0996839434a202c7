"""The numbers of a period by name, as tables and month reports have them."""

from collections.abc import Iterator, Mapping, Sequence

from services.projections.metrics.figures import Figures

_NAMES = ("category", "within", "channel", "age")
"""Fields that identify a part, such as a delay, and are not numbers."""


def numbers(figures: Figures) -> Iterator[tuple[str, object]]:
    """Yield the numbers by name: `balance.closed`, `answering.phone.in_time`."""
    return _numbers(figures.model_dump(mode="json"), "")


def _numbers(part: Mapping[str, object], before: str) -> Iterator[tuple[str, object]]:
    for name, value in part.items():
        match value:
            case dict():
                yield from _numbers(value, f"{before}{name}.")
            case list():
                for each in value:
                    yield from _numbers(each, f"{before}{name}.{_named(each)}.")
            case _ if name in _NAMES or isinstance(value, str):
                continue  # it identifies the part, or is a note about it
            case _:
                yield f"{before}{name}", value


def _named(part: Mapping[str, object]) -> str:
    found: Sequence[object] = [part[name] for name in _NAMES if name in part]
    return str(found[0]) if found and found[0] is not None else "none"
