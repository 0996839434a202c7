"""Renders answers of the API as pages, and the query that links to a queue keep."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from markupsafe import Markup, escape

from services.projections.history.alert import is_document, leads_to_web
from services.projections.timeline.sentences import duration
from services.projections.web.api_client import ApiError
from shared.domain.identifiers import is_external_ref, is_incident_ref
from shared.domain.incident import IN_STOCK, Status
from shared.i18n.catalog import Language
from shared.i18n.details import detail_text
from shared.i18n.formats import (
    day_text,
    month_text,
    number_text,
    share_text,
    short_day_text,
    short_instant_text,
    size_text,
    weekday_text,
)
from shared.web.rendering import Pages, as_sentence, refusal_text

FILTERS = (
    "status",
    "priority",
    "assignee",
    "service",
    "client",
    "reporter",
    "level",
    "breached",
    "order",
    "root_cause",
    "team",
    "unassigned",
    "mine",
    "waiting",
    "reported_by_user",
    "filter",
)
"""The filters and the order of the API, with the same names."""
ENDED = tuple(status.value for status in Status if status not in IN_STOCK)
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\dZ")
_REFERENCE = re.compile(r"\bINC-[0-9]{6,}\b")
_CODE = re.compile("`([^`]*)`")
QUERY_MAX = 1_000
_RECORD = re.compile(r"(PRB|CHG)-[0-9]{6,12}")
_FOLDERS = {"PRB": "problems", "CHG": "changes"}
_KEPT = ("view", "queue", "q", *FILTERS)


def kept_query(given: Iterable[tuple[str, str]]) -> str:
    """Return the queue, the words and the filters as a query; drop everything else."""
    query = urlencode(
        [(name, value) for name, value in given if name in _KEPT and value]
    )
    return query if len(query) <= QUERY_MAX else ""


def _instant(text: str, language: Language, zone: str) -> str:
    """Format an instant in the time zone of the page."""
    return short_instant_text(datetime.fromisoformat(text), zone, language)


def _language_name(code: str, language: Language) -> str:
    """Return what a language is called in another one; its code if it has no name."""
    return Locale.parse(code).get_language_name(language) or code


def _newest(promises: Iterable[Mapping[str, Any]], cycle: int) -> Iterable[object]:
    """Return the current promise of each target, without earlier rounds."""
    return {
        each["target"]: each for each in promises if each["cycle"] == cycle
    }.values()


def _is_after(text: str, other: str | None) -> bool:
    """Return whether one instant is later than another; False without the other."""
    return other is None or datetime.fromisoformat(text) > datetime.fromisoformat(other)


def record_place(ref: str) -> str | None:
    """Return the address of the page of a record; None for another organisation's."""
    if is_incident_ref(ref):
        return f"/incidents/{ref}"
    if is_external_ref(ref):
        return f"/records/{ref}"
    found = _RECORD.fullmatch(ref)
    return f"/{_FOLDERS[found[1]]}/{ref}" if found else None


def refusal_of(language: Language, error: ApiError) -> str:
    """Return why the API refused a form, in the language of a page of the desk."""
    fields = detail_text(language, str(error)) is None and error.fields
    code = "invalid_fields" if error.code == "invalid" and fields else error.code
    return refused_text(code or "", language, str(error))


def refused_text(code: str, language: Language, sentence: str) -> str:
    """Return the sentence if the language has it, otherwise what its code means.

    The API begins its sentences with a small letter, as programs quote them in others;
    on a page each stands for itself.
    """
    found = detail_text(language, sentence) or refusal_text(language, code, sentence)
    return as_sentence(found)


def with_local_instants(sentence: str, language: Language, zone: str) -> str:
    """Return a sentence of the API with its instants in the time zone of the page."""
    return _INSTANT.sub(lambda found: _instant(found[0], language, zone), sentence)


def broken_promise(row: Mapping[str, Any], at: str) -> str | None:
    """Return which promise of a row of a queue was broken, as far as the row says.

    A broken promise stays due until it is kept late; so if what is due next lies ahead,
    it is the other one.
    """
    if not row["breached"] or not row["due_at"]:
        return None
    if not _is_after(row["due_at"], at):
        return str(row["due_target"])
    return "ttr" if row["due_target"] == "tto" else "tto"


def linked(sentence: str) -> Markup:
    """Return a sentence in which each reference of an incident leads to it."""
    safe = str(escape(sentence))
    with_links = _REFERENCE.sub(r'<a href="/incidents/\g<0>">\g<0></a>', safe)
    return Markup(with_links)  # noqa: S704 # it was escaped


def _with_code(text: str) -> Markup:
    """Return a text in which what stands between backticks is marked as code."""
    safe = str(escape(text))
    with_code = _CODE.sub(r"<code>\1</code>", safe)
    return Markup(with_code)  # noqa: S704 # it was escaped


TEMPLATES = Pages(
    Path(__file__).parent,
    filters={
        "day": day_text,
        "month": month_text,
        "short_day": short_day_text,
        "weekday": weekday_text,
        "file_size": size_text,
        "is_after": _is_after,
        "is_document": is_document,
        "is_web": leads_to_web,
        "language_name": _language_name,
        "newest": _newest,
        "record_place": record_place,
        "refused": refused_text,
        "broken_promise": broken_promise,
        "linked": linked,
        "span": duration,
        "instant": _instant,
        "share": share_text,
        "number": number_text,
        "with_code": _with_code,
    },
)
page = TEMPLATES.page
asset = TEMPLATES.asset
