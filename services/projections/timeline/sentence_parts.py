"""What sentences are made of, in any language.

The value of a field as a sentence says it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.i18n.formats import Language, short_instant_text

Part = str | tuple[str, str]
"""Said if all it names holds something; of a pair, if its first, a field, does."""

Words = Mapping[str, Mapping[str, str]]
"""By field and value: what is said for one of the desk's own names."""


@dataclass(frozen=True, slots=True)
class Style:
    """How sentences write instants and people, where their reader asks for more."""

    zone: str | None = None
    """IANA; instants are then as short as beside a note of their zone. None: in UTC."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of people, by id: who has one is named, with the id beside."""


PLAIN = Style()


_CAPITALS = frozenset({"priority", "level", "from_level", "to_level"})
_INSTANTS = frozenset({"answer_by", "held_until", "planned_for", "since", "until"})
_PEOPLE = frozenset(
    {"accepted_by", "assignee", "people", "person", "reporter", "unskilled"}
)
_SPACE = "\N{NO-BREAK SPACE}"


def tells(field: str, value: object) -> bool:
    """Tell whether a field says anything; no repeats are nothing, no seconds are 0."""
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
    """Return a value in words; `words` has those of the desk's own names."""
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
    """Yield the ids of people that sentences of these actors and fields name."""
    for actor, what in told:
        role, _, id_ = actor.partition(":")
        if role == "person":
            yield id_
        for name in _PEOPLE & what.keys():
            yield from _several(what[name])


def called(person: str, style: Style) -> str:
    """Return what a person is called: by name, the id beside, if a name is known."""
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
