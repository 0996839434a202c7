"""Renders events as sentences when they are read: no text is stored."""

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any

from services.projections.timeline import english, english_words, french, french_words
from services.projections.timeline.sentence_parts import (
    PLAIN,
    Part,
    Style,
    Words,
    called,
    shown,
    tells,
)
from shared.domain.events import EVENT_TYPES
from shared.eventlog.codec import personal_fields
from shared.i18n.formats import Language

_SENTENCES: Mapping[Language, tuple[Mapping[str, tuple[Part, ...]], Words]] = {
    "en": (english.ENGLISH, english_words.WORDS),
    "fr": (french.FRENCH, french_words.WORDS),
}
_BY_RULE: Mapping[Language, Mapping[tuple[str, str], tuple[Part, ...]]] = {
    "en": english.BY_RULE,
    "fr": french.BY_RULE,
}
_ENDS = re.compile(r"[.!?…][”»\xa0]*$")


def sentence(
    kind: str,
    actor: str,
    what: Mapping[str, Any],
    language: Language = "en",
    style: Style = PLAIN,
) -> str:
    """Return an event as a sentence; an unknown kind is shown by its name."""
    sentences, words = _SENTENCES[language]
    written = personal_fields(EVENT_TYPES[kind]) if kind in EVENT_TYPES else {}
    values: dict[str, str] = {}
    for field, value in what.items():
        if not tells(field, value):
            continue
        name = "whom" if field == "who" else field
        verbatim = field in written
        values[name] = (
            str(value)
            if verbatim
            else shown(name, value, words.get(name, {}), language, style)
        )
    role, _, id_ = actor.partition(":")
    values["who"] = called(id_, style) if role == "person" else id_
    whole = ""
    by_rule = _BY_RULE[language].get((kind, _rule(what)))
    for part in by_rule or sentences.get(kind, ("{who}: " + kind,)):
        if text := _said(part, values):
            whole = _joined(whole, text)
    return whole if _ENDS.search(whole) else f"{whole}."


def _rule(what: Mapping[str, Any]) -> str:
    """Return the rule that decided it: the match, or the cause."""
    return str(what.get("rule") or what.get("matched") or what.get("cause") or "")


def _joined(before: str, text: str) -> str:
    """Append a part; one that begins with punctuation follows without a space."""
    if text.startswith((":", ";", ",", "\xa0")):
        return before.removesuffix(".") + text
    return f"{before} {text}" if before else text


def _said(part: Part, values: Mapping[str, str]) -> str | None:
    match part:
        case (flag, text):
            return text if flag in values else None
        case text:
            named = {name for _, name, _, _ in Formatter().parse(text) if name}
            return text.format_map(values) if named <= values.keys() else None
