"""The human references of records, which are also their identity: `INC-000042`."""

import re
from typing import Annotated

from pydantic import StringConstraints

# A log shard may later stand between prefix and number: `INC-2-000042`.
# Not `\d`, which takes the digits of every script.
_PATTERN = r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}$"

IncidentRef = Annotated[str, StringConstraints(pattern=_PATTERN)]


def incident_ref(number: int) -> str:
    """Return the reference of the incident with this number: 42 → `INC-000042`."""
    return f"INC-{number:06d}"


def is_incident_ref(text: str) -> bool:
    """Tell whether `text` is written like an incident's reference."""
    return re.fullmatch(_PATTERN, text) is not None


def incident_stream(ref: str) -> str:
    """Return the name of the stream of an incident: `incident-INC-000042`."""
    return f"incident-{ref}"


def incident_of(stream: str) -> str | None:
    """Return the incident whose stream this is, None for any other stream."""
    kind, _, ref = stream.partition("-")
    return ref if kind == "incident" else None
