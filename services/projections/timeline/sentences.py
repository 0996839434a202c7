"""Renders events as sentences when they are read: no text is stored.

The catalogs of `shared/i18n` have a sentence for each event type, and some for an event
that was decided by a certain rule (`incident.recovered/timeout`). Each of its lines is
shown if all fields it names have a value; one that begins with `field?`, if that field
has one, too. The words for the values of a field are in the catalogs as well.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from string import Formatter
from typing import Any, NamedTuple

from shared.domain.events import EVENT_TYPES
from shared.eventlog.codec import personal_fields
from shared.i18n.catalog import ENGLISH, Language, text_of
from shared.i18n.details import detail_text
from shared.i18n.formats import short_instant_text, size_text


@dataclass(frozen=True, slots=True)
class Style:
    """How sentences write instants and people."""

    zone: str | None = None
    """An IANA time zone; instants are then short, without the zone. None: UTC."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of people by id; a person with a name is shown with name and id."""
    roles: Mapping[str, str] | None = None
    """What people are shown as by id, where nobody is to be named."""


PLAIN = Style()
_CAPITALS = frozenset({"priority", "level", "from_level", "to_level"})
_INSTANTS = frozenset(
    {
        *("answer_by", "held_since", "held_until", "planned_for", "since", "until"),
        *("at_instant", "start", "end", "other_start", "other_end"),
    }
)
_PEOPLE = frozenset(
    {
        *("accepted_by", "assignee", "others_paged", "owner", "people", "person"),
        "reporter",
        *("add", "incoming", "other", "out_of_hours", "outgoing", "remove"),
        *("not_their_turn", "unskilled"),
    }
)
_PLAIN_RULES = frozenset(
    {
        *("new_trouble", "follows_older", "fires_again", "severity_changed"),
        *("still_fires", "recovered"),
    }
)
"""Rules that a sentence does not mention: its event says as much."""
PARTS_MAX = 2_000
"""Sentences that are kept in parts: those of each event type, rule and language."""
_SPACE = "\N{NO-BREAK SPACE}"
_ENDS = re.compile(r"[.!?…][”»\xa0]*$")


def sentence(
    kind: str,
    actor: str,
    what: Mapping[str, Any],
    language: Language = ENGLISH,
    style: Style = PLAIN,
) -> str:
    """Return an event as a sentence; an unknown kind is shown by its name."""
    values = _values(kind, what, language, style)
    role, _, id_ = actor.partition(":")
    values["who"] = called(id_, style) if role == "person" else id_
    rule = str(what.get("rule") or what.get("matched") or what.get("cause") or "")
    text = _filled(_parts(kind, rule, language), values)
    return text if _ENDS.search(text) else f"{text}."


def brief(
    kind: str, what: Mapping[str, Any], language: Language, style: Style
) -> str | None:
    """Return how far a message came, beside what it reports; people by name alone.

    None if the kind is not about one message.
    """
    text = text_of(language, "brief", kind)
    if text == kind:
        return None
    names = {id_: style.names.get(id_, id_) for id_ in _several(what.get("person"))}
    values = _values(kind, what, language, replace(style, roles=names))
    return _filled([_part(line) for line in text.split("\n")], values)


def _filled(parts: Iterable["_Part"], values: Mapping[str, str]) -> str:
    """Return the parts whose fields all have a value, with these values."""
    text = ""
    for part in parts:
        if part.fields <= values.keys() and (shown := part.text.format_map(values)):
            text = _joined(text, shown)
    return text


class _Part(NamedTuple):
    fields: frozenset[str]
    """The fields that must have a value."""
    text: str


_FLAG = re.compile(r"(\w+)\? ")


@lru_cache(PARTS_MAX)
def _parts(kind: str, rule: str, language: Language) -> Sequence[_Part]:
    own = f"{kind}/{rule}"
    text = text_of(language, "sentence", own) if rule else own
    if text == own:
        text = text_of(language, "sentence", kind)
    if text == kind:
        text = f"{{who}}: {kind}"
    return [_part(line) for line in text.split("\n")]


def _part(line: str) -> _Part:
    flag = _FLAG.match(line)
    text = line[flag.end() :] if flag else line
    fields = {name for _, name, _, _ in Formatter().parse(text) if name}
    return _Part(frozenset(fields | {flag[1]} if flag else fields), text)


def _joined(before: str, text: str) -> str:
    """Append a part; one that begins with punctuation follows without a space."""
    if text.startswith((":", ";", ",", _SPACE)):
        return before.removesuffix(".") + text
    return f"{before} {text}" if before else text


def _values(
    kind: str, what: Mapping[str, Any], language: Language, style: Style
) -> dict[str, str]:
    """Return the fields that have a value, in words; texts of people as they are."""
    personal = personal_fields(EVENT_TYPES[kind]) if kind in EVENT_TYPES else {}
    values: dict[str, str] = {}
    for name, value in what.items():
        if not _has_value(name, value):
            continue
        shown = "whom" if name == "who" else name
        values[shown] = (
            str(value) if name in personal else _in_words(shown, value, language, style)
        )
    return values


def _has_value(name: str, value: object) -> bool:
    """Return whether there is a value to show: 0 seconds is one, 0 repeats is not."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value != 0 or name != "repeats"
    return bool(value)


def _in_words(  # noqa: PLR0911 # a return for each kind of value
    name: str, value: object, language: Language, style: Style
) -> str:
    if name in _PEOPLE:
        return ", ".join(called(id_, style) for id_ in _several(value))
    match value:
        case str() if name.endswith("_at") or name in _INSTANTS:
            return _instant(value, language, style)
        case str() if name in _CAPITALS:
            return value.upper()
        case str() if name == "rule" and value in _PLAIN_RULES:
            return ""
        case str():
            text = text_of(language, f"timeline.{name}", value)
            is_sentence = name == "reason" and text == value
            return (detail_text(language, value) or text) if is_sentence else text
        case int() if name.endswith("seconds"):
            return duration(value)
        case int() if name == "size":
            return size_text(value, language)
        case int() if name in {"step", "next_step"}:
            return str(value + 1)  # people count from one
        case _:
            return ", ".join(_several(value))


def _several(value: object) -> Sequence[str]:
    return list(map(str, value if isinstance(value, list | tuple) else [value]))


def duration(seconds: int) -> str:
    """Write working seconds as `6 h 30 min`, the same in every language."""
    sign, rest = "−" if seconds < 0 else "", abs(seconds)
    parts = ((rest // 3600, "h"), (rest // 60 % 60, "min"), (rest % 60, "s"))
    counted = [f"{number}{_SPACE}{unit}" for number, unit in parts if number]
    return sign + (" ".join(counted) or f"0{_SPACE}min")


def people_in(events: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Yield the ids of the people that occur in these actors and fields."""
    for actor, what in events:
        role, _, id_ = actor.partition(":")
        if role == "person":
            yield id_
        for name in _PEOPLE & what.keys():
            yield from _several(what[name])


def called(person: str, style: Style) -> str:
    """Return a person's name and id, the id alone if the name is unknown, or a role."""
    if style.roles is not None:
        return style.roles.get(person, "…")
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
