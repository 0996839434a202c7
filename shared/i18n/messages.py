"""Renders a notice as a message in its reader's language."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from textwrap import indent

from shared.domain.events.event import FORGOTTEN
from shared.i18n import english_staff, english_users, french_staff, french_users
from shared.i18n.formats import (
    Language,
    Reader,
    duration_text,
    instant_text,
    language_of,
)
from shared.i18n.notice_kinds import (
    CODES,
    Notice,
    StaffKind,
    UserKind,
    staff_kind,
    user_kind,
)
from shared.i18n.promise_lines import promises_text
from shared.i18n.staff_notices import StaffNotice
from shared.i18n.template import Message, Template, filled
from shared.i18n.user_notices import WITHHELD

TO_USERS: Mapping[Language, Mapping[UserKind, Template]] = {
    "fr": french_users.TEMPLATES,
    "en": english_users.TEMPLATES,
}
TO_STAFF: Mapping[Language, Mapping[StaffKind, Template]] = {
    "fr": french_staff.TEMPLATES,
    "en": english_staff.TEMPLATES,
}
ERASED: Mapping[Language, str] = {"fr": "(texte effacé)", "en": "(text erased)"}
"""The replacement for text that was erased at its author's request."""
UNTOLD: Mapping[Language, str] = {
    "fr": "(titre non repris)",
    "en": "(title not repeated)",
}
"""The replacement for a withheld title in a mail."""
_HELLO: Mapping[Language, str] = {"fr": "Bonjour", "en": "Hello"}
QUOTED = frozenset(
    {
        *("words", "question", "message", "note", "solution", "solutions", "incidents"),
        *("workaround", "why", "evidence"),
    }
)
"""Fields with texts of people: indented, otherwise unchanged."""


def say(notice: Notice, reader: Reader, fallback: str) -> Message:
    """Return the message for `reader`, in their language and time zone.

    `fallback` is the desk's first language, for readers of unsupported languages.
    """
    language = language_of(reader.language, fallback)
    said = _in_words(notice, reader.zone, language)
    said["greeting"] = _greeting(reader.name, language)
    if isinstance(notice, StaffNotice):
        template = TO_STAFF[language][staff_kind(notice)]
        return filled(template, said, language)
    return filled(TO_USERS[language][user_kind(notice)], said, language)


def _greeting(name: str, language: Language) -> str:
    known = name if name != FORGOTTEN else ""
    return f"{_HELLO[language]} {known}".rstrip() + ","


def _in_words(notice: Notice, zone: str, language: Language) -> dict[str, str]:
    told = {
        each.name: _text(each.name, getattr(notice, each.name), zone, language)
        for each in fields(notice)
    }
    return {name: text for name, text in told.items() if text.strip()}


def _text(name: str, value: object, zone: str, language: Language) -> str:
    """Return a value in words; "" for an empty value."""
    match value:
        case None | False:
            return ""
        case str():
            return _words(name, value, language)
        case datetime():
            return instant_text(value, zone, language)
        case timedelta():
            return duration_text(value, language) if value else ""
        case tuple():
            return promises_text(value, zone, language)
        case _:
            return str(value)


def _words(name: str, written: str, language: Language) -> str:
    if written == FORGOTTEN:
        written = ERASED[language]
    if (name, written) == ("title", WITHHELD):
        return UNTOLD[language]
    if name in QUOTED:
        return indent(written.strip("\r\n"), "    ")
    return CODES[language].get(name, {}).get(written, written)
