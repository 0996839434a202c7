"""Writes instants and durations as the reader of a message writes them.

Durations are in hours, minutes and seconds, never in days, whose length depends on the
calendar. Instants are in the reader's time zone, with its name:

fr: jeudi 3 juillet 2025 à 10:30, heure de Montréal
en: Thursday 3 July 2025 at 10:30, Montréal time

The patterns are in the catalogs; what a pattern cannot say, such as `de` or `d’` before
a French name, is here.
"""

from dataclasses import dataclass
from datetime import MINYEAR, date, datetime, timedelta
from math import inf
from typing import Literal, TypeGuard
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from shared.i18n.catalog import ENGLISH, LANGUAGES, Language, text_of


@dataclass(frozen=True)
class Reader:
    """`zone` is an IANA name. For an unsupported language the desk's first one is used.

    `name` is used in the greeting; without one the greeting has no name.
    """

    language: str | None
    zone: str
    name: str = ""


def is_language(text: str | None) -> TypeGuard[Language]:
    """Return whether the desk has texts in the language named by `text`."""
    return text in LANGUAGES


def language_of(preferred: str | None, fallback: str) -> Language:
    """Return the language to write in: `preferred` (`fr`, `fr-CA`), else `fallback`."""
    for written in (preferred or "", fallback):
        language = written.replace("_", "-").partition("-")[0].lower()
        if is_language(language):
            return language
    return ENGLISH


def duration_text(duration: timedelta, language: Language) -> str:
    """Return whole seconds in words: 90 minutes → `1 heure et 30 minutes`."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts: list[tuple[Literal["hour", "minute", "second"], timedelta]] = [
        ("hour", timedelta(hours=hours)),
        ("minute", timedelta(minutes=minutes)),
        ("second", timedelta(seconds=seconds)),
    ]
    counted = [each for each in parts if each[1]] or [("minute", timedelta())]
    return format_list(
        [
            # Not `format_unit`: it shows the name of a unit with no long form.
            format_timedelta(part, granularity=unit, threshold=inf, locale=language)
            for unit, part in counted
        ],
        locale=language,
    )


_KILO = 1000
_UNITS = {"fr": ("octet", "octets", "ko", "Mo")}
_ENGLISH_UNITS = ("byte", "bytes", "kB", "MB")


def size_text(size: int, language: Language) -> str:
    """Return the size of a file: 123456 → `123 kB`, in French `123 ko`."""
    one, several, kilo, mega = _UNITS.get(language, _ENGLISH_UNITS)
    if size < _KILO:
        number, unit = float(size), one if size == 1 else several
    elif size < _KILO * _KILO:
        number, unit = size // _KILO, kilo
    else:
        number, unit = round(size / _KILO / _KILO, 1), mega
    return f"{format_decimal(number, locale=language)}\N{NO-BREAK SPACE}{unit}"


_OWN_NAMES = {"America/Montreal": "Montréal"}
"""Cities for which the CLDR has another city of the same time zone."""


def number_text(number: float, language: Language) -> str:
    """Return a number as it is written: `1,234.5`, in French `1 234,5`."""
    return str(format_decimal(number, locale=language))


def share_text(share: float | None, language: Language) -> str:
    """Return a share in percent, a dash if there is none: `75%`, `75 %`."""
    return "–" if share is None else format_percent(share, locale=language)


def instant_text(at: datetime, zone: str, language: Language) -> str:
    """Return an aware instant in words. Raises `KeyError` for an unknown zone.

    Seconds are cut off, never rounded up: a due date must not be shown too late.
    """
    local = _local(at, zone)
    return text_of(language, "format", "instant").format(
        day=day_text(local, language),
        time=_time(local),
        zone=_zone(local, zone, language),
    )


def short_instant_text(at: datetime, zone: str, language: Language) -> str:
    """Return a short form for lists of instants, whose zone is given once.

    fr: 3 juil. 2025, 10:30
    """
    local = _local(at, zone)
    pattern = text_of(language, "format", "short day")
    return f"{format_date(local, pattern, locale=language)}, {_time(local)}"


def _local(at: datetime, zone: str) -> datetime:
    try:
        return at.astimezone(ZoneInfo(zone))
    except OverflowError:  # the first or last day that can be written, of any year
        inwards = timedelta(days=1 if at.year == MINYEAR else -1)
        return (at + inwards).astimezone(ZoneInfo(zone))


def day_text(local: date, language: Language) -> str:
    """Return a day, or that of a local time, in words, with its weekday."""
    pattern = text_of(language, "format", "day")
    day = format_date(local, pattern, locale=language)
    return day.replace(" 1 ", " 1er ", 1) if language == "fr" else day


def month_text(day: date, language: Language) -> str:
    """Return the month of a day in words: `June 2025`, in French `juin 2025`."""
    pattern = text_of(language, "format", "month")
    return format_date(day, pattern, locale=language)


def short_day_text(day: date, language: Language) -> str:
    """Return a day without its year: `3 Jul`, in French `3 juil.`."""
    pattern = text_of(language, "format", "day of month")
    return format_date(day, pattern, locale=language)


def weekday_text(day: date, language: Language) -> str:
    """Return the weekday of a day: `Thursday`."""
    return format_date(day, "EEEE", locale=language)


def _time(local: datetime) -> str:
    time = f"{local:%H:%M}"
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{time} ({_offset(local)})" if comes_twice else time


def _zone(local: datetime, zone: str, language: Language) -> str:
    """Return a time zone by the city after which it is named, or by its offset."""
    if "/" not in zone or zone.startswith("Etc/"):
        return text_of(language, "format", "offset").format(offset=_offset(local))
    city = _OWN_NAMES.get(zone) or get_timezone_location(
        ZoneInfo(zone), locale=language, return_city=True
    )
    name = city.rpartition("/")[2]
    pattern = text_of(language, "format", "city")
    return pattern.format(city=name, de_city=_de(name))


_VOWELS = frozenset("aeiouyàâäéèêëîïôöùûüÿœæ")


def _de(city: str) -> str:
    """Return the French `de` and a city: `de Paris`, `d’Oslo`, `du Caire`."""
    article, _, rest = city.partition(" ")
    match article:
        case "Le":
            return f"du {rest}"
        case "Les":
            return f"des {rest}"
        case "Île":
            return f"de l’île {rest}"
        case _:
            return f"{'d’' if city[0].lower() in _VOWELS else 'de '}{city}"


def _offset(local: datetime) -> str:
    minutes = (local.utcoffset() or timedelta()) // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")
