"""An instant as its reader would say it: on the wall clock of their zone, by name.

fr: jeudi 3 juillet 2025 à 10:30, heure de Montréal
en: Thursday 3 July 2025 at 10:30, Montréal time
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location

from shared.wording.reader import Language

_DAY = "EEEE d MMMM y"
_SHORT_DAY = "d MMM y"
_OWN_NAMES = {"America/Montreal": "Montréal"}
"""Cities the CLDR knows only as another one of the same time."""
_VOWELS = frozenset("aeiouyàâäéèêëîïôöùûüÿœæ")


def instant_text(at: datetime, zone: str, language: Language) -> str:
    """Return an aware instant in words. A zone nobody knows raises `KeyError`.

    Minutes are cut, never rounded up: what is due is not said to be due later.
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
    """Return an instant where many stand together, and their zone is said once.

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
    """Return the city a zone is named after; None for a zone that is a mere offset."""
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
