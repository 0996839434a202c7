"""Reads ordinary YAML with libyaml: over ten times as fast as the pure Python parser.

libyaml knows YAML 1.1 only. If the two versions may read a text differently, or if it
is not what our files may contain, nothing is returned: the parser for YAML 1.2 then
decides, and says what is wrong. A property test compares the two.
"""

import re
from collections.abc import Iterator

import yaml
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from shared.mistake import Path
from shared.yaml_values import DEPTH_MAX, UNKEEPABLE, Plain, unquoted

# Line breaks of 1.1 alone, byte order marks, tabs as white space, and directives.
_READ_OTHERWISE = re.compile("[\t\x85\u2028\u2029\ufeff]|^%", re.MULTILINE)
_BLOCKS = ("|", ">")


class _NotOrdinary(Exception):
    """The other parser must decide."""


def read_ordinary(text: str) -> tuple[Plain, dict[Path, int]] | None:
    """Return the value of the one document in `text` and the line of each path.

    None where it is not ordinary.
    """
    if _READ_OTHERWISE.search(text):
        return None
    try:
        return _Composer(text).document()
    except (yaml.YAMLError, UnicodeEncodeError, _NotOrdinary):
        return None


class _Composer:
    """From the events of libyaml to plain values."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._lines: dict[Path, int] = {}

    def document(self) -> tuple[Plain, dict[Path, int]]:
        """Return the only document, with nothing after it."""
        self._demand(StreamStartEvent)
        self._demand(DocumentStartEvent)
        value = self._value(next(self._events), ())
        self._demand(DocumentEndEvent)
        self._demand(StreamEndEvent)
        if value is None:  # nothing may stand there, and then on no line
            raise _NotOrdinary
        return value, self._lines

    def _demand(self, kind: type[Event]) -> None:
        if not isinstance(next(self._events), kind):
            raise _NotOrdinary

    def _value(self, event: Event, path: Path) -> Plain:
        self._lines.setdefault(path, event.start_mark.line + 1)
        match event:
            case ScalarEvent():
                text = _text(event)
                return text if event.style else unquoted(text)
            case MappingStartEvent(anchor=None, tag=None):
                return self._mapping(_deeper(path))
            case SequenceStartEvent(anchor=None, tag=None):
                return self._sequence(_deeper(path))
            case _:
                raise _NotOrdinary

    def _sequence(self, path: Path) -> list[Plain]:
        values: list[Plain] = []
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            values.append(self._value(event, (*path, len(values))))
        return values

    def _mapping(self, path: Path) -> dict[str, Plain]:
        values: dict[str, Plain] = {}
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            key = _text(event)
            if key in values:
                raise _NotOrdinary
            self._lines[*path, key] = event.start_mark.line + 1
            values[key] = self._value(next(self._events), (*path, key))
        return values


def _text(event: Event) -> str:
    """Return the words of a scalar; the first lines of blocks are read differently."""
    ordinary = (
        isinstance(event, ScalarEvent)
        and event.anchor is None
        and event.tag is None
        and event.style not in _BLOCKS
    )
    if not ordinary or UNKEEPABLE.search(event.value):
        raise _NotOrdinary
    return str(event.value)


def _deeper(path: Path) -> Path:
    if len(path) >= DEPTH_MAX:
        raise _NotOrdinary
    return path
