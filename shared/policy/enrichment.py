"""What the desk knows of a signal beside what it says: a table, read downwards."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.policy.clause import Clause
from shared.policy.names import Name

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
