"""Writes a review as Markdown: to keep elsewhere, or to print."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from services.projections.api.reviews.schemas import (
    FiguresView,
    ReviewActionView,
    ReviewDocument,
)
from services.projections.timeline.sentences import duration
from shared.domain.policy.reviews import Shown
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import short_instant_text

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")


def markdown_of(document: ReviewDocument) -> str:
    """Return the document. What authors wrote stays as it is: it may be Markdown."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: ReviewDocument) -> Iterator[str]:
    yield f"# {document.incident} · {_plain(document.title)}"
    yield ""
    yield _state(document)
    for section in document.sections:
        yield from ("", f"## {_plain(section.title)}")
        if section.text:
            yield from ("", section.text.strip())
        if shown := [*_shown(document, section.shows)]:
            yield from ("", *shown)


def _shown(document: ReviewDocument, shows: Shown | None) -> Iterator[str]:
    """Yield what a section shows beside its text."""
    language, zone = document.language, document.zone
    match shows:
        case "figures":
            for name, value in figure_texts(document.figures, language):
                yield f"* {name}{_colon(language)}{_plain(value)}"
        case "facts":
            for fact in document.facts:
                at = short_instant_text(fact.at, zone, language)
                yield f"* {at} – {_plain(fact.sentence)} ({fact.position})"
        case "actions":
            yield from _actions(document.actions, zone, language)
        case None:
            pass
        case _:
            assert_never(shows)


def _state(document: ReviewDocument) -> str:
    language, at = document.language, document.published_at
    if document.edition is None or at is None:
        return text_of(language, "review.state", "draft")
    text = text_of(language, "review.state", "published")
    when = short_instant_text(at, document.zone, language)
    return text.format(edition=document.edition, at=when, zone=document.zone)


def _actions(
    actions: Sequence[ReviewActionView], zone: str, language: Language
) -> Iterator[str]:
    for each in actions:
        mark = "x" if each.status == "done" else " "
        state = text_of(language, "review.action", each.status)
        at = each.ended_at or each.due_at
        when = short_instant_text(at, zone, language)
        about = f"{_plain(each.owner)}, {state} {when}"
        yield f"* [{mark}] {each.action}. {_plain(each.task)} ({about})"


def figure_texts(figures: FiguresView, language: Language) -> Iterator[tuple[str, str]]:
    """Yield the names of the figures that are known, and their values in words."""
    values: Mapping[str, str | int | None] = {
        "noticed": figures.noticed
        and text_of(language, "review.noticed", figures.noticed),
        "services": ", ".join(figures.services),
        "acknowledged": _span(figures.acknowledged_seconds),
        "restored": _span(figures.restored_seconds),
        "reports": figures.reports,
        "merged": figures.merged,
        "messages": figures.messages,
        "pages": figures.pages,
        "people_paged": figures.people_paged,
        "escalations": figures.escalations,
        "kept": figures.kept,
        "broken": figures.broken,
    }
    for name, value in values.items():
        if value is not None:
            yield text_of(language, "review.figure", name), str(value)


def _span(seconds: int | None) -> str | None:
    return None if seconds is None else duration(seconds)


def _colon(language: Language) -> str:
    return text_of(language, "review.state", "colon")


def _plain(text: str) -> str:
    """Return a text of one line in which nothing is Markdown."""
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))
