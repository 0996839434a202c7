"""The parts of sentences in any language, and the values of fields in words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.i18n.formats import Language, short_instant_text

Part = str | tuple[str, str]
"""Shown if all its fields have a value; a pair, if its first, a field, has one."""

Words = Mapping[str, Mapping[str, str]]
"""The words for identifiers and enumerated values, by field and value."""


@dataclass(frozen=True, slots=True)
class Style:
    """How sentences write instants and people."""

    zone: str | None = None
    """An IANA time zone; instants are then short, without the zone. None: UTC."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of people by id; a person with a name is shown with name and id."""


PLAIN = Style()


_CAPITALS = frozenset({"priority", "level", "from_level", "to_level"})
_INSTANTS = frozenset({"answer_by", "held_until", "planned_for", "since", "until"})
_PEOPLE = frozenset(
    {"accepted_by", "assignee", "people", "person", "reporter", "unskilled"}
)
_SPACE = "\N{NO-BREAK SPACE}"


def tells(field: str, value: object) -> bool:
    """Return whether a field has a value to show: 0 seconds has one, 0 repeats not."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value != 0 or field != "repeats"
    return bool(value)


def shown(
    name: str,
    value: object,
    words: Mapping[str, str],
    language: Language,
    style: Style = PLAIN,
) -> str:
    """Return a value in words; `words` translates identifiers and enumerated values."""
    if name in _PEOPLE:
        return ", ".join(called(id_, style) for id_ in _several(value))
    match value:
        case str() if name.endswith("_at") or name in _INSTANTS:
            return _instant(value, language, style)
        case str():
            return _text(name, value, words)
        case int() if name.endswith("seconds"):
            return duration(value)
        case int() if name == "step":
            return str(value + 1)  # people count from one
        case _:
            return ", ".join(_several(value))


def _several(value: object) -> Sequence[str]:
    return list(map(str, value if isinstance(value, list | tuple) else [value]))


def duration(seconds: int) -> str:
    """Write working seconds as `6 h 30 min`, the same in every language."""
    sign, rest = "−" if seconds < 0 else "", abs(seconds)
    parts = ((rest // 3600, "h"), (rest // 60 % 60, "min"), (rest % 60, "s"))
    said = [f"{number}{_SPACE}{unit}" for number, unit in parts if number]
    return sign + (" ".join(said) or f"0{_SPACE}min")


def _text(name: str, value: str, words: Mapping[str, str]) -> str:
    if name in _CAPITALS:
        return value.upper()
    return words.get(value, value)


def people_in(told: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Yield the ids of the people that occur in these actors and fields."""
    for actor, what in told:
        role, _, id_ = actor.partition(":")
        if role == "person":
            yield id_
        for name in _PEOPLE & what.keys():
            yield from _several(what[name])


def called(person: str, style: Style) -> str:
    """Return a person's name and id, or the id alone if the name is unknown."""
    name = style.names.get(person)
    return f"{name} ({person})" if name else person


def _instant(text: str, language: Language, style: Style) -> str:
    """Write an instant; in UTC the same in every language. Minutes are enough."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if style.zone is not None:
        return short_instant_text(at, style.zone, language)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
