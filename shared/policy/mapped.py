"""How a source that no adapter knows is read: where in its documents things stand."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.policy.clause import Clause
from shared.policy.expressions import EXPRESSION_MAX
from shared.policy.scales import Severity

LABELS_MAX = 64
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
    labels: Annotated[Mapping[LabelName, Expression], Field(max_length=LABELS_MAX)] = {}
    links: Expression | None = None
    """One address, or a list of them, for people."""
    details: Expression | None = None
    """Anything else people should see."""
