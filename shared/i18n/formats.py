"""Formats durations, instants and typography for the reader of a message.

Durations are in hours, minutes and seconds, never in days, whose length depends on the
calendar. Instants are in the reader's time zone, with its name:

fr: jeudi 3 juillet 2025 à 10:30, heure de Montréal
en: Thursday 3 July 2025 at 10:30, Montréal time

`typeset` is for the desk's own texts, never for texts that people wrote.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeGuard, get_args
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location
from babel.lists import format_list
from babel.units import format_unit

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LAST_RESORT: Language = "en"


@dataclass(frozen=True)
class Reader:
    """`zone` is an IANA name. For an unsupported language the desk's first one is used.

    `name` is used in the greeting; without one the greeting has no name.
    """

    language: str | None
    zone: str
    name: str = ""


def language_of(asked: str | None, fallback: str) -> Language:
    """Return the language to write in: `asked` (`fr`, `fr-CA`), else `fallback`."""
    for written in (asked or "", fallback):
        language = written.replace("_", "-").partition("-")[0].lower()
        if _is_written(language):
            return language
    return LAST_RESORT


def _is_written(language: str) -> TypeGuard[Language]:
    return language in LANGUAGES


def duration_text(duration: timedelta, language: Language) -> str:
    """Return whole seconds in words: 90 minutes → `1 heure et 30 minutes`."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [("hour", hours), ("minute", minutes), ("second", seconds)]
    said = [
        format_unit(number, f"duration-{unit}", "long", locale=language)
        for unit, number in parts
        if number
    ]
    return format_list(said, locale=language) if said else _nothing(language)


def _nothing(language: Language) -> str:
    return format_unit(0, "duration-minute", "long", locale=language)


_DAY = "EEEE d MMMM y"
_SHORT_DAY = "d MMM y"
_OWN_NAMES = {"America/Montreal": "Montréal"}
"""Cities for which the CLDR has another city of the same time zone."""
_VOWELS = frozenset("aeiouyàâäéèêëîïôöùûüÿœæ")


def instant_text(at: datetime, zone: str, language: Language) -> str:
    """Return an aware instant in words. Raises `KeyError` for an unknown zone.

    Seconds are cut off, never rounded up: a due date must not be shown too late.
    """
    local = at.astimezone(ZoneInfo(zone))
    day, time = format_date(local, _DAY, locale=language), f"{local:%H:%M}"
    if _comes_twice(local):
        time = f"{time} ({_offset(local)})"
    match language:
        case "fr":
            first = day.replace(" 1 ", " 1er ", 1)
            return f"{first} à {time}, {_french_time(local, zone)}"
        case "en":
            return f"{day} at {time}, {_english_time(local, zone)}"


def short_instant_text(at: datetime, zone: str, language: Language) -> str:
    """Return a short form for lists of instants, whose zone is given once.

    fr: 3 juil. 2025, 10:30
    """
    local = at.astimezone(ZoneInfo(zone))
    text = f"{format_date(local, _SHORT_DAY, locale=language)}, {local:%H:%M}"
    return f"{text} ({_offset(local)})" if _comes_twice(local) else text


def _french_time(local: datetime, zone: str) -> str:
    city = _city(zone, "fr")
    if city is None:
        return f"heure {_offset(local)}"
    article, _, rest = city.partition(" ")
    match article:
        case "Le":
            return f"heure du {rest}"
        case "Les":
            return f"heure des {rest}"
        case "Île":
            return f"heure de l’île {rest}"
        case _:
            return f"heure {'d’' if city[0].lower() in _VOWELS else 'de '}{city}"


def _english_time(local: datetime, zone: str) -> str:
    city = _city(zone, "en")
    return _offset(local) if city is None else f"{city} time"


def _city(zone: str, language: Language) -> str | None:
    """Return the city after which a zone is named; None for a plain offset."""
    if "/" not in zone or zone.startswith("Etc/"):
        return None
    named = _OWN_NAMES.get(zone) or get_timezone_location(
        ZoneInfo(zone), locale=language, return_city=True
    )
    return named.rpartition("/")[2]


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _offset(local: datetime) -> str:
    minutes = (local.utcoffset() or timedelta()) // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


_BEFORE = re.compile(r" ([:;!?»%])")
_AFTER = re.compile(r"« ")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def typeset(text: str, language: Language) -> str:
    """Return `text` with curved apostrophes and, in French, no-break spaces."""
    curved = text.replace("'", "’")
    if language != "fr":
        return curved
    return _AFTER.sub(f"«{_NO_BREAK}", _BEFORE.sub(rf"{_NO_BREAK}\1", curved))
