"""Writes tests/golden/sentences/<language>.txt: how a timeline tells each example.

Lines of an event that is new are added; lines that are there never change.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from services.projections.timeline.sentences import sentence
from shared.domain.events import EVENT_TYPES, events
from shared.domain.events.upcasters import upcast
from shared.i18n.catalog import Language

_GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
_RULES = {
    "incident.recovered": ("rule", ("timeout",)),
    "incident.linked": ("matched", ("signature",)),
    "handover.requested": ("matched", ("signature",)),
    "handover.joined": ("matched", ("signature", "service")),
    "handover.service_requested": ("cause", ("downtime",)),
    "problem.incident_linked": ("matched", ("signature",)),
}
"""Events that read differently by the rule that decided them."""


def _shapes(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an event with all it was written with, by each rule, and with the least."""
    kind = document["type"]
    needed = {
        name
        for name, field in EVENT_TYPES[kind].model_fields.items()
        if field.is_required()
    }
    least = {name: value for name, value in document.items() if name in needed}
    field, rules = _RULES.get(kind, ("", ()))
    yield document
    for rule in rules:
        yield {**document, field: rule}
        yield {**least, field: rule}
    yield least


def _example(line: str) -> str:
    return line.partition(":")[0]


@dataclass(frozen=True)
class Sentences:
    """The sentences of one language, as they were approved."""

    language: Language

    @property
    def PAGE(self) -> Path:  # noqa: N802 # the name that every page has
        """The file."""
        return _GOLDEN / "sentences" / f"{self.language}.txt"

    def lines(self) -> Iterator[str]:
        """Yield each sentence behind the name of its example."""
        for file in sorted((_GOLDEN / "events").glob("*.json")):
            written = json.loads(file.read_text(encoding="utf-8"))
            event = events.validate_python(upcast(written["type"], written))
            document = event.model_dump(mode="json", exclude_none=True)
            for shape in _shapes(document):
                said = sentence(event.type, event.by, shape, self.language)
                yield f"{file.stem}: {said}".replace("\n", "⏎") + "\n"

    def page(self) -> str:
        """Return the lines that are approved, with those of new examples."""
        held = self.PAGE.read_text(encoding="utf-8").splitlines(keepends=True)
        approved = {
            name: [*lines]
            for name, lines in groupby(sorted(held, key=_example), _example)
        }
        return "".join(
            line
            for name, lines in groupby(self.lines(), _example)
            for line in approved.get(name) or lines
        )


APPROVED: tuple[Language, ...] = ("fr", "en")
"""Languages whose texts are approved; another one may do without."""
PAGES = tuple(map(Sentences, APPROVED))
