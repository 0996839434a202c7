"""Mappings for sources without an adapter, and the enrichment table.

A mapping says where the parts of a signal are in a document, as JMESPath. The cost of
an expression is limited: JMESPath has no loops, so each part of an expression visits
each value below it at most once, unless the expression copies its input. So length,
depth and possible copies of an expression limit its cost for any document.
"""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Annotated, Any, Literal, cast

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from pydantic import Field, StringConstraints

from shared.domain.policy.clause import Clause, Name
from shared.domain.policy.priorities import Severity

EXPRESSION_MAX = 500
"""Maximum length in characters."""
DEPTH_MAX = 24
"""Maximum nesting of an expression."""
COPIES_MAX = 64
"""Maximum size of a result, as a multiple of the document's size."""
GLUE_MAX = 16
"""Maximum length of the separator for `join`."""

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
    """Return a message for each mistake in an expression."""
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
    """Return the maximum number of copies of its input in a result."""
    children = [copies(child) for child in _children(node)]
    of = node["value"] if node["type"] == "function_expression" else node["type"]
    if of in _EACH_OF_EACH:
        return prod(children)
    if of in _ONE_OF:
        return max(children, default=1)
    # The copies in its parts add up; in a string, an escaped quote is two characters.
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


LABELS_MAX, WHEN_MAX = 20, 10
LABEL = r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$"
WHAT = r"^(source|service|labels\.[A-Za-z_][A-Za-z0-9_.-]{0,99})$"
What = Annotated[
    str,
    StringConstraints(pattern=WHAT),
    Field(examples=["labels.host", "service", "source"]),
]
Glob = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Label = Annotated[str, StringConstraints(pattern=LABEL)]
Said = Annotated[str, StringConstraints(max_length=200)]


class Known(Clause):
    """What is set for a signal from then on, whatever its source says."""

    service: Name | None = None
    team: Name | None = None
    """The team its incident is assigned to on opening; the desk stays the owner."""
    labels: Annotated[Mapping[Label, Said], Field(max_length=LABELS_MAX)] = {}


class Enrichment(Clause):
    """One row: signals that match all of `when` get the values in `set`."""

    when: Annotated[Mapping[What, Glob], Field(min_length=1, max_length=WHEN_MAX)]
    """By `source`, `service` or `labels.<name>`; `*` and `?` are wildcards."""
    set: Known


MAPPED_LABELS_MAX = 64
TABLE_MAX = 128
AUTO, EPOCH_S, EPOCH_MS = "auto", "epoch_s", "epoch_ms"

Expression = Annotated[
    str,
    StringConstraints(min_length=1, max_length=EXPRESSION_MAX),
    Field(examples=["check.state"]),
]
Found = Annotated[
    str, StringConstraints(max_length=100), Field(examples=["what-is-found"])
]
TimeFormat = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    Field(examples=["auto", "epoch_s", "epoch_ms", "%d/%m/%Y %H:%M"]),
]
LabelName = Annotated[
    str, StringConstraints(min_length=1, max_length=100), Field(examples=["a-label"])
]
MappedAction = Literal["trigger", "resolve", "acknowledge", "ignore"]


class ActionTable(Clause):
    """Maps a value in a document to an action."""

    found_at: Annotated[Expression | None, Field(alias="from")] = None
    """Where the value is. Default: `default` applies to all."""
    values: Annotated[Mapping[Found, MappedAction], Field(max_length=TABLE_MAX)] = {}
    """The action for each value, ignoring case."""
    default: MappedAction | None = None
    """For all other values. Default: the element is quarantined."""


class SeverityTable(Clause):
    """Maps a value in a document to a severity."""

    found_at: Annotated[Expression | None, Field(alias="from")] = None
    """Where the value is. Default: `default` applies to all."""
    values: Annotated[Mapping[Found, Severity], Field(max_length=TABLE_MAX)] = {}
    """The severity for each value, ignoring case."""
    default: Severity | None = None
    """For all other values. Default: it counts as `error`."""


class Mapped(Clause):
    """Where a document has the parts of a signal: JMESPath, https://jmespath.org."""

    elements: Expression | None = None
    """Where the list of signals is. Default: the document itself, one or a list."""
    title: Expression
    """Within each element, as all fields below; if not found, the key is the title."""
    action: ActionTable
    severity: SeverityTable = SeverityTable()
    dedup_key: Expression | None = None
    """Identifies the alert. Default: derived from source, service and title."""
    event_id: Expression | None = None
    """Identifies the message. Default: each message is a new one."""
    service: Expression | None = None
    """If not found, the `service` of the source applies."""
    occurred_at: Expression | None = None
    time_format: TimeFormat = AUTO
    """Format of `occurred_at`; local times are in the source's `timezone`."""
    labels: Annotated[
        Mapping[LabelName, Expression], Field(max_length=MAPPED_LABELS_MAX)
    ] = {}
    links: Expression | None = None
    """One URL, or a list of URLs, for people."""
    details: Expression | None = None
    """Anything else that people should see."""
