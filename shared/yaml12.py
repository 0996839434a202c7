"""YAML 1.2 text as plain values, with the line each of them stands on.

An unquoted `18:00` is text, as is a date; a key given twice is refused, and so are tags
and anchors: nothing in a file may mean more than it says, or unfold to more than it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shared.mistake import Mistake, Path, path_text
from shared.yaml_quick import read_ordinary
from shared.yaml_values import DEPTH_MAX, UNKEEPABLE, Plain, unquoted

__all__ = ["DEPTH_MAX", "TEXT_MAX", "Plain", "Written", "read"]

TEXT_MAX = 16 * 1024 * 1024
"""Bytes of a file."""

_STANDARD = "tag:yaml.org,2002:"
_PLAIN_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
_TAGS = {f"{_STANDARD}{tag}" for tag in (*_PLAIN_TAGS, "seq", "map")}


@dataclass(frozen=True, slots=True)
class Written:
    """The values of a file and the line of each, by its path; `()` is the whole."""

    value: Plain
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int | None:
        """Return the line of `path`, or of the nearest thing around it."""
        around = (path[:length] for length in range(len(path), -1, -1))
        return next((self.lines[part] for part in around if part in self.lines), None)


def read(text: str) -> Written | list[Mistake]:
    """Return the one document in `text`, or all that is wrong with it."""
    if len(text.encode(errors="replace")) > TEXT_MAX:
        over = f"over {TEXT_MAX // 1024 // 1024} MB: make it shorter"
        return [Mistake("", None, over)]
    ordinary = read_ordinary(text)
    return Written(*ordinary) if ordinary else _read_exactly(text)


def _read_exactly(text: str) -> Written | list[Mistake]:
    """Return the same by the letter of YAML 1.2, slowly."""
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
    return walk.mistakes or Written(value, walk.lines)


def _unreadable(error: YAMLError) -> Mistake:
    """Say what is wrong without the line itself: it may hold what none should see."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Mistake("", None, "not text in YAML 1.2: remove the control characters")
    line = error.problem_mark.line + 1
    problem = str(error.problem).split(", if necessary")[0]
    return Mistake("", line, f"not YAML 1.2: {problem}; correct this line")


@dataclass(slots=True)
class _Walk:
    """From the nodes of a document to plain values."""

    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def plain(self, node: Node, path: Path) -> Plain:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.anchor is not None:  # its aliases come later: no loop is walked
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
