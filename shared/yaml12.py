"""Reads YAML 1.2 as plain values, with the line of each value.

An unquoted `18:00` is text, as is a date. Duplicate keys, tags and anchors are refused:
a file must not have hidden meanings or expand to more than its size.

Ordinary YAML is read with libyaml, over ten times as fast as the pure Python parser.
libyaml supports YAML 1.1 only. If the two versions may read a text differently, or if
the text has features that are not allowed, the parser for YAML 1.2 decides and reports
errors. A property-based test compares the two.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
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

from shared.mistake import Mistake, Path, path_text

DEPTH_MAX = 20

Plain = str | int | bool | None | list["Plain"] | dict[str, "Plain"]

# JSON and PostgreSQL cannot store these characters.
UNKEEPABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


def unquoted(text: str) -> str | int | bool | None:
    """Return the value of an unquoted scalar."""
    return int(text) if _INTEGER.fullmatch(text) else _WORDS.get(text, text)


# Line breaks only in YAML 1.1, byte order marks, tabs as white space, directives.
_READ_OTHERWISE = re.compile("[\t\x85\u2028\u2029\ufeff]|^%", re.MULTILINE)
_BLOCKS = ("|", ">")


class _NotOrdinary(Exception):
    """The text is not ordinary: the other parser must decide."""


def read_ordinary(text: str) -> tuple[Plain, dict[Path, int]] | None:
    """Return the value of the only document in `text`, and the line of each path.

    None if it is not ordinary.
    """
    if _READ_OTHERWISE.search(text):
        return None
    try:
        return _Composer(text).document()
    except (yaml.YAMLError, UnicodeEncodeError, _NotOrdinary):
        return None


class _Composer:
    """Converts events of libyaml to plain values."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._lines: dict[Path, int] = {}

    def document(self) -> tuple[Plain, dict[Path, int]]:
        """Return the only document; nothing may follow it."""
        self._demand(StreamStartEvent)
        self._demand(DocumentStartEvent)
        value = self._value(next(self._events), ())
        self._demand(DocumentEndEvent)
        self._demand(StreamEndEvent)
        if value is None:  # an empty value has no line
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
    """Return the text of a scalar; block scalars are not ordinary."""
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


__all__ = ["DEPTH_MAX", "TEXT_MAX", "ParsedYaml", "Plain", "read"]

TEXT_MAX = 16 * 1024 * 1024
"""The maximum size of a file in bytes."""

_STANDARD = "tag:yaml.org,2002:"
_PLAIN_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
_TAGS = {f"{_STANDARD}{tag}" for tag in (*_PLAIN_TAGS, "seq", "map")}


@dataclass(frozen=True, slots=True)
class ParsedYaml:
    """The values of a file, and their lines by path; `()` is the whole file."""

    value: Plain
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int | None:
        """Return the line of `path`, or of its nearest parent."""
        around = (path[:length] for length in range(len(path), -1, -1))
        return next((self.lines[part] for part in around if part in self.lines), None)


def read(text: str) -> ParsedYaml | list[Mistake]:
    """Return the only document in `text`, or all mistakes in it."""
    if len(text.encode(errors="replace")) > TEXT_MAX:
        over = f"over {TEXT_MAX // 1024 // 1024} MB: make it shorter"
        return [Mistake("", None, over)]
    ordinary = read_ordinary(text)
    return ParsedYaml(*ordinary) if ordinary else _read_exactly(text)


def _read_exactly(text: str) -> ParsedYaml | list[Mistake]:
    """Return the same with the strict but slow parser for YAML 1.2."""
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = DEPTH_MAX
    try:
        root = yaml.compose(text)
    except YAMLError as error:
        return [_unreadable(error)]
    if root is None:
        return [Mistake("", None, "nothing is in it: write at least one line")]
    walk = _Walk()
    value = walk.plain(root, ())
    return walk.mistakes or ParsedYaml(value, walk.lines)


def _unreadable(error: YAMLError) -> Mistake:
    """Describe the error without the line itself, which may contain a secret."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Mistake("", None, "not text in YAML 1.2: remove the control characters")
    line = error.problem_mark.line + 1
    problem = str(error.problem).split(", if necessary")[0]
    return Mistake("", line, f"not YAML 1.2: {problem}; correct this line")


@dataclass(slots=True)
class _Walk:
    """Converts the nodes of a document to plain values."""

    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def plain(self, node: Node, path: Path) -> Plain:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.anchor is not None:  # refused before its aliases: no cycles
            return self._refused(
                node, path, "leave anchors and aliases out; write it out"
            )
        if node.tag not in _TAGS:
            return self._refused(
                node, path, "leave the tag (!…) out; write a plain value"
            )
        match node:
            case MappingNode():
                return self._mapping(node, path)
            case SequenceNode():
                return [self.plain(n, (*path, at)) for at, n in enumerate(node.value)]
            case _:
                return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Plain]:
        values: dict[str, Plain] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._refused(key_node, path, "a key is a word, not a list or mapping")
                continue
            key = key_node.value
            self.lines[*path, key] = key_node.start_mark.line + 1
            self._scalar(key_node, (*path, key))
            if key in values:
                self._refused(key_node, (*path, key), "given twice: keep one of them")
                continue
            values[key] = self.plain(value_node, (*path, key))
        return values

    def _scalar(self, node: Node, path: Path) -> Plain:
        text: str = node.value
        if UNKEEPABLE.search(text):
            return self._refused(node, path, "remove the control characters")
        is_plain = getattr(node, "style", None) is None
        if not is_plain or node.tag == f"{_STANDARD}str":
            return text
        return unquoted(text)

    def _refused(self, node: Node, path: Path, sentence: str) -> Plain:
        line = node.start_mark.line + 1
        self.mistakes.append(Mistake(path_text(path), line, sentence))
        return None
