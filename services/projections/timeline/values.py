"""The value of a field as a sentence says it."""

from collections.abc import Mapping
from datetime import UTC, datetime

_CAPITALS = frozenset({"priority", "level", "from_level", "to_level"})
_INSTANTS = frozenset({"answer_by", "held_until", "planned_for", "since", "until"})
_SPACE = "\N{NO-BREAK SPACE}"


def tells(field: str, value: object) -> bool:
    """Tell whether a field says anything; no repeats are nothing, no seconds are 0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value != 0 or field != "repeats"
    return bool(value)


def shown(name: str, value: object, words: Mapping[str, str]) -> str:
    """Return a value in words; `words` has those of the desk's own names."""
    match value:
        case str():
            return _text(name, value, words)
        case int() if name.endswith("seconds"):
            return duration(value)
        case int() if name == "step":
            return str(value + 1)  # people count from one
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def duration(seconds: int) -> str:
    """Write working seconds as `6 h 30 min`, the same in every language."""
    sign, rest = "−" if seconds < 0 else "", abs(seconds)
    parts = ((rest // 3600, "h"), (rest // 60 % 60, "min"), (rest % 60, "s"))
    said = [f"{number}{_SPACE}{unit}" for number, unit in parts if number]
    return sign + (" ".join(said) or f"0{_SPACE}min")


def _text(name: str, value: str, words: Mapping[str, str]) -> str:
    if name in _CAPITALS:
        return value.upper()
    if name.endswith("_at") or name in _INSTANTS:
        return _instant(value)
    return words.get(value, value)


def _instant(text: str) -> str:
    """Write an instant in UTC, the same in every language; whole minutes are enough."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return text
