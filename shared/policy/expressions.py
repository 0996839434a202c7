"""What a JMESPath expression may be, so that no document can make it dear.

JMESPath has no loops: each part of an expression sees each value below it at most once,
unless the expression copies what it was given. So what bounds the work is how long an
expression is, how deep it nests, and how many copies of a document it can make.
"""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, cast

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

EXPRESSION_MAX = 500
"""Characters."""
DEPTH_MAX = 24
"""How deep an expression may nest, whatever way."""
COPIES_MAX = 64
"""How many times as large as the document a result may be."""
GLUE_MAX = 16
"""Characters of the text that `join` puts between others."""

Node = Mapping[str, Any]
_EACH_OF_EACH = {
    "subexpression",
    "index_expression",
    "pipe",
    "projection",
    "value_projection",
    "filter_projection",
    "map",
    "sort_by",
}
_ONE_OF = {
    "or_expression",
    "and_expression",
    "not_expression",
    "comparator",
    "flatten",
    "expref",
    "key_val_pair",
}
_SEE = "see https://jmespath.org/specification.html"


def mistakes_in(text: str) -> list[str]:
    """Return a sentence for each thing that is wrong with an expression."""
    try:
        node: Node = cast("Node", jmespath.compile(text).parsed)
    except (JMESPathError, RecursionError, ValueError) as error:
        place = getattr(error, "lex_position", None)
        at = f" near its character {place + 1}" if isinstance(place, int) else ""
        return [f"no JMESPath expression{at}: {_SEE}"]
    nodes = list(_nodes(node))
    if max(depth for _, depth in nodes) > DEPTH_MAX:
        return [f"it nests deeper than {DEPTH_MAX}: make it simpler"]
    calls = (each for each, _ in nodes if each["type"] == "function_expression")
    wrong = [sentence for call in calls if (sentence := _wrong_call(call))]
    if copies(node) > COPIES_MAX:
        wrong.append(
            f"it can copy a document more than {COPIES_MAX} times: make it simpler"
        )
    return wrong


def copies(node: Node) -> int:
    """Return how many copies of what it is given a result can hold, at most."""
    children = [copies(child) for child in _children(node)]
    of = node["value"] if node["type"] == "function_expression" else node["type"]
    if of in _EACH_OF_EACH:
        return prod(children)
    if of in _ONE_OF:
        return max(children, default=1)
    # Its parts beside one another; in a text, a quoted quote is two characters.
    return max(1, sum(children)) * (2 if of == "to_string" else 1)


def _wrong_call(call: Node) -> str | None:
    name, arguments = call["value"], call["children"]
    if name not in Functions.FUNCTION_TABLE:
        return f"there is no function `{name}`: {_SEE}"
    if name == "join":
        glue = arguments[0] if arguments else {}
        text = glue.get("value") if glue.get("type") == "literal" else None
        if not isinstance(text, str) or len(text) > GLUE_MAX:
            return f"`join` takes a text of at most {GLUE_MAX} characters first: ', '"
    return None


def _nodes(node: Node, depth: int = 1) -> Iterator[tuple[Node, int]]:
    todo = [(node, depth)]
    while todo:
        here, level = todo.pop()
        yield here, level
        todo += [(child, level + 1) for child in _children(here)]


def _children(node: Node) -> list[Node]:
    # The parts of a slice are numbers.
    return [child for child in node["children"] if isinstance(child, dict)]
