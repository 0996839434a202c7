"""Reviews after incidents: which are required, until when, and of what sections."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from shared.domain.policy.clause import Clause, Count, Name, Person, Texts
from shared.domain.policy.priorities import Priority
from shared.mistake import Wrong
from shared.yaml12 import Plain

Shown = Literal["figures", "facts", "actions"]
"""What a section shows beside its text: figures and facts follow from the log."""
SECTIONS_MAX = 20
WITHIN_DAYS = 5


class ReviewSection(Clause):
    """A section of the template: what it is called, and what its author may ask."""

    id: Name
    title: Texts
    hint: Texts | None = None
    """Shown to the authors, and not published."""
    shows: Shown | None = None
    """Default: only what was written."""


Sections = Annotated[
    tuple[ReviewSection, ...], Field(min_length=1, max_length=SECTIONS_MAX)
]


class Reviews(Clause):
    """The reviews after incidents. A review can be opened of any restored incident."""

    required_for: tuple[Priority | Literal["breached"], ...] = ()
    """Incidents of these priorities, and `breached` ones, whose promise was broken, get
    a review once they are resolved. Default: none."""
    within_days: Annotated[Count, Field(le=60)] = WITHIN_DAYS
    """A review is due at the end of this working day, counted from its opening."""
    calendar: Name | None = None
    """Whose open days are working days. Default: Monday to Friday."""
    owner: Person | None = None
    """Who publishes required reviews. Default: the manager of the incident's team."""
    sections: Sections | None = None
    """The template. Default: summary, impact, timeline, what went well, what went
    badly, contributing causes, actions."""


DEFAULT_SECTIONS: Mapping[str, Shown | None] = {
    "summary": None,
    "impact": "figures",
    "timeline": "facts",
    "went_well": None,
    "went_badly": None,
    "causes": None,
    "actions": "actions",
}
"""The sections of the default template; the catalogs have their texts."""


def sections_of(reviews: Reviews | None) -> tuple[str, ...]:
    """Return the ids of the sections of the template."""
    if reviews is None or reviews.sections is None:
        return tuple(DEFAULT_SECTIONS)
    return tuple(section.id for section in reviews.sections)


def review_mistakes(document: Plain) -> Iterator[Wrong]:
    """Yield what is given twice in `reviews`, and what to write."""
    reviews = document.get("reviews") if isinstance(document, dict) else None
    sections = reviews.get("sections") if isinstance(reviews, dict) else None
    seen: set[str] = set()
    for place, section in enumerate(sections if isinstance(sections, list) else ()):
        for name in ("id", "shows"):
            given = section.get(name) if isinstance(section, dict) else None
            if not isinstance(given, str):
                continue
            key = f"{name} {given}"
            if key in seen:
                yield (
                    ("reviews", "sections", place, name),
                    f"`{given}` is given twice: write it in one section only",
                )
            seen.add(key)
