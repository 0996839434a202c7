"""Month reports as pages show them: sections, and what differs today. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.projections.web.figures.views import Metric, Row, metrics_of
from shared.i18n.catalog import Language

Numbers = Mapping[str, float | None]


@dataclass(frozen=True)
class Section:
    """A section of a report, with a table for each of its metrics."""

    name: str
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Changed:
    """A number that the log gives differently today."""

    metric: str
    row: Row
    """Its `before` is what was published, its `value` what the log gives."""


def sections_of(
    sections: Mapping[str, Sequence[str]],
    numbers: Numbers,
    before: Numbers,
    language: Language,
) -> list[Section]:
    """Return the sections with their numbers in words, beside the month before."""
    names = [name for metrics in sections.values() for name in metrics]
    shown = {
        each.name: each
        for each in metrics_of(nested(numbers, names), nested(before, names), language)
    }
    return [
        Section(section, tuple(shown[name] for name in metrics if name in shown))
        for section, metrics in sections.items()
    ]


def changed(
    sections: Mapping[str, Sequence[str]],
    then: Numbers,
    now: Numbers,
    language: Language,
) -> Iterator[Changed]:
    """Yield the numbers of the tables that are not what they were."""
    for section in sections_of(sections, now, then, language):
        for metric in section.metrics:
            for row in metric.rows:
                if row.value != row.before:
                    yield Changed(metric.title, row)


def nested(numbers: Numbers, metrics: Sequence[str]) -> dict[str, Any]:
    """Return numbers by name as the parts of metrics, `balance.closed` in `balance`."""
    found: dict[str, Any] = {name: {} for name in metrics}
    for name, value in numbers.items():
        *path, last = name.split(".")
        part = found
        for step in path:
            part = part.setdefault(step, {})
        part[last] = value
    return found
