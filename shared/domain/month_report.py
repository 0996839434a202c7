"""A month report of a client, from its events: comments, approval, editions. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

import orjson

from shared.domain.events import AnyEvent
from shared.domain.events.event import Actor
from shared.domain.events.month_report import (
    MonthReportApproved,
    MonthReportCommented,
    MonthReportEvent,
    MonthReportPublished,
    ReportFigures,
    ReportSection,
)
from shared.domain.survey.periods import day_begins, next_month

SECTIONS: Mapping[ReportSection, tuple[str, ...]] = {
    "satisfaction": ("satisfaction",),
    "incidents": ("balance", "backlog_age", "reported"),
    "promises": ("sla", "answering"),
    "times": (
        "time_to_acknowledge",
        "time_to_restore",
        "time_to_resolve",
        "resolved_within",
    ),
    "quality": ("first_contact_resolution", "reopened"),
    "changes": ("problems", "changes"),
}
"""The metrics of each section, in order. What concerns only the desk is in none: what
support levels owe each other, and how incidents went back and forth."""
REPORTED = tuple(name for names in SECTIONS.values() for name in names)
WITHIN_SECONDS = (3_600, 4 * 3_600, 8 * 3_600, 24 * 3_600)
"""The delays of `resolved_within` in a report."""

State = Literal["open", "draft", "approved", "published", "revised"]
"""`open`: nothing is written. `revised`: written to since the last edition."""


def period_of(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant of a month such as `2025-06`, and of the next."""
    first = date.fromisoformat(f"{month}-01")
    following = next_month(first)
    assert following is not None  # noqa: S101 # it is the first of a month
    return day_begins(first, zone), day_begins(following, zone)


def month_before(month: str) -> str:
    """Return the month before one: `2025-05` of `2025-06`."""
    first = date.fromisoformat(f"{month}-01")
    return date.fromordinal(first.toordinal() - 1).isoformat()[:7]


@dataclass(frozen=True, slots=True)
class Comment:
    """The comment on a section; `version` is that of the stream when it was written."""

    text: str
    by: Actor
    at: datetime
    version: int


Comments = Mapping[ReportSection, Comment]


@dataclass(frozen=True, slots=True)
class Edition:
    """A published edition with the comments that it has."""

    published: MonthReportPublished
    comments: Comments

    @property
    def number(self) -> int:
        """Its number within the report."""
        return self.published.edition


@dataclass(frozen=True, slots=True)
class MonthReport:
    """What was written of a report, approved and published so far."""

    comments: Comments = field(default_factory=dict)
    approved: MonthReportApproved | None = None
    """None also after a comment, and once it is published."""
    editions: tuple[Edition, ...] = ()
    version: int = 0

    @property
    def last(self) -> Edition | None:
        """The newest edition."""
        return self.editions[-1] if self.editions else None

    @property
    def state(self) -> State:
        """How far it is."""
        if self.approved is not None:
            return "approved"
        if self.last is None:
            return "draft" if self.comments else "open"
        written = versions_of(self.comments) != self.last.published.comments
        return "revised" if written else "published"

    @property
    def authors(self) -> frozenset[Actor]:
        """Who wrote the comments."""
        return frozenset(each.by for each in self.comments.values())

    def says_the_same(self, figures: ReportFigures) -> bool:
        """Return whether the last edition has these numbers and today's comments."""
        if self.last is None:
            return False
        published = self.last.published
        return digest_of(published.figures, published.comments) == digest_of(
            figures, versions_of(self.comments)
        )


def versions_of(comments: Comments) -> dict[ReportSection, int]:
    """Return the version in which each comment was written."""
    return {section: each.version for section, each in comments.items()}


def digest_of(figures: ReportFigures, comments: Mapping[ReportSection, int]) -> str:
    """Return a digest of what a report says: its numbers, definitions and comments.

    The position up to which was counted is not in it: later events may change nothing.
    """
    numbers = [
        {name: None if each is None else float(each) for name, each in part.items()}
        for part in (figures.numbers, figures.before)
    ]
    said = [*numbers, dict(figures.definitions), dict(comments)]
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def replay_report(events: Iterable[tuple[int, AnyEvent]]) -> MonthReport:
    """Return a report after its events, each with its version; others are left out."""
    held = MonthReport()
    written: dict[int, Comment] = {}
    for version, event in events:
        if isinstance(event, MonthReportEvent):
            held = replace(_after(held, version, event, written), version=version)
    return held


def _after(
    held: MonthReport,
    version: int,
    event: MonthReportEvent,
    written: dict[int, Comment],
) -> MonthReport:
    match event:
        case MonthReportCommented(section=section, text=text):
            comments = {each: c for each, c in held.comments.items() if each != section}
            if text is not None:
                comment = Comment(text, event.by, event.at, version)
                comments[section] = written[version] = comment
            return replace(held, comments=comments, approved=None)
        case MonthReportApproved():
            return replace(held, approved=event)
        case MonthReportPublished(comments=comments):
            found = {each: written[number] for each, number in comments.items()}
            edition = Edition(event, found)
            return replace(held, editions=(*held.editions, edition), approved=None)
        case _:
            assert_never(event)
