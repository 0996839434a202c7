"""How a source that no adapter knows is read: where in its documents things stand.

What a JMESPath expression may be, so that no document can make it dear.

JMESPath has no loops: each part of an expression sees each value below it at most once,
unless the expression copies what it was given. So what bounds the work is how long an
expression is, how deep it nests, and how many copies of a document it can make.

What the desk knows of a signal beside what it says: a table, read downwards.
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
    """What is said of a signal from then on, whatever its source said."""

    service: Name | None = None
    team: Name | None = None
    """Whom its incident is given to as it opens; the desk stays its owner."""
    labels: Annotated[Mapping[Label, Said], Field(max_length=LABELS_MAX)] = {}


class Enrichment(Clause):
    """One row: signals that match all of `when` are known to be what `set` says."""

    when: Annotated[Mapping[What, Glob], Field(min_length=1, max_length=WHEN_MAX)]
    """By `source`, `service` or `labels.<name>`; `*` and `?` stand for anything."""
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
    """From what a document says to what is to be done about it."""

    found_at: Annotated[Expression | None, Field(alias="from")] = None
    """Where it stands; nowhere: `default` holds for all."""
    values: Annotated[Mapping[Found, MappedAction], Field(max_length=TABLE_MAX)] = {}
    """By what is found there, upper and lower case alike."""
    default: MappedAction | None = None
    """For all else; none: it waits in quarantine until the table knows it."""


class SeverityTable(Clause):
    """From what a document says to one of our severities."""

    found_at: Annotated[Expression | None, Field(alias="from")] = None
    """Where it stands; nowhere: `default` holds for all."""
    values: Annotated[Mapping[Found, Severity], Field(max_length=TABLE_MAX)] = {}
    """By what is found there, upper and lower case alike."""
    default: Severity | None = None
    """For all else; none: it counts as `error`."""


class Mapped(Clause):
    """Where in a document the parts of a signal stand: JMESPath, https://jmespath.org."""

    elements: Expression | None = None
    """Where the list of signals is; nowhere: the whole document, or each of a list."""
    title: Expression
    """Of each element, as all below; where it finds nothing, the key is the title."""
    action: ActionTable
    severity: SeverityTable = SeverityTable()
    dedup_key: Expression | None = None
    """Names the trouble; nowhere: it is made from source, service and title."""
    event_id: Expression | None = None
    """Names the message; nowhere: each is a new one."""
    service: Expression | None = None
    """Where it finds nothing: the `service` of the source."""
    occurred_at: Expression | None = None
    time_format: TimeFormat = AUTO
    """Of `occurred_at`; local times are those of the source's `timezone`."""
    labels: Annotated[
        Mapping[LabelName, Expression], Field(max_length=MAPPED_LABELS_MAX)
    ] = {}
    links: Expression | None = None
    """One address, or a list of them, for people."""
    details: Expression | None = None
    """Anything else people should see."""
