"""References of records, which are also their identity: `INC-000042`; stream names.

Also helpers for lists of references: each once, in the order of linking.
"""

import re
from typing import Annotated

from pydantic import StringConstraints

# A log shard may later be added between prefix and number: `INC-2-000042`. Not `\d`,
# which matches the digits of every script.
_PATTERN = r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}$"

IncidentRef = Annotated[str, StringConstraints(pattern=_PATTERN)]
ProblemRef = Annotated[str, StringConstraints(pattern=r"^PRB-[0-9]{6,12}$")]
ChangeRef = Annotated[str, StringConstraints(pattern=r"^CHG-[0-9]{6,12}$")]

_EXTENSION = r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}-E[0-9]{1,4}$"
ExtensionRef = Annotated[str, StringConstraints(pattern=_EXTENSION)]

_ABOUT_AN_INCIDENT = frozenset({"incident", "sla", "escalation", "handover"})


def incident_ref(number: int) -> str:
    """Return the reference of the incident with this number: 42 → `INC-000042`."""
    return f"INC-{number:06d}"


def problem_ref(number: int) -> str:
    """Return the reference of the problem with this number: 1 → `PRB-000001`."""
    return f"PRB-{number:06d}"


def change_ref(number: int) -> str:
    """Return the reference of the change with this number: 1 → `CHG-000001`."""
    return f"CHG-{number:06d}"


def extension_ref(incident: str, number: int) -> str:
    """Return the reference of an incident's extension: `INC-000042-E1`."""
    return f"{incident}-E{number}"


def extended_incident(extension: str) -> str:
    """Return the incident of an extension: `INC-000042` for `INC-000042-E1`."""
    return extension.rpartition("-E")[0]


def is_extension_ref(text: str) -> bool:
    """Return whether `text` has the form of an extension reference."""
    return re.fullmatch(_EXTENSION, text) is not None


def is_incident_ref(text: str) -> bool:
    """Return whether `text` has the form of an incident reference."""
    return re.fullmatch(_PATTERN, text) is not None


def incident_stream(ref: str) -> str:
    """Return the name of the stream of an incident: `incident-INC-000042`."""
    return f"incident-{ref}"


def incident_of(stream: str) -> str | None:
    """Return the incident whose stream this is, or None for any other stream."""
    kind, _, ref = stream.partition("-")
    return ref if kind == "incident" else None


def about(stream: str) -> str | None:
    """Return the incident that a stream of any service is about, or None."""
    kind, _, ref = stream.partition("-")
    return ref if kind in _ABOUT_AN_INCIDENT else None


def sla_stream(ref: str) -> str:
    """Return the stream of an incident's SLA targets: `sla-INC-000042`."""
    return f"sla-{ref}"


def escalation_stream(ref: str) -> str:
    """Return the stream of an incident's escalation: `escalation-INC-000042`."""
    return f"escalation-{ref}"


def handover_stream(ref: str) -> str:
    """Return the stream of an incident's hand-over: `handover-INC-000042`."""
    return f"handover-{ref}"


def problem_stream(ref: str) -> str:
    """Return the name of the stream of a problem: `problem-PRB-000001`."""
    return f"problem-{ref}"


def change_stream(ref: str) -> str:
    """Return the name of the stream of a change: `change-CHG-000001`."""
    return f"change-{ref}"


def added(refs: tuple[str, ...], ref: str) -> tuple[str, ...]:
    """Return `refs` with `ref` added, unless it is there already."""
    return refs if ref in refs else (*refs, ref)


def removed(refs: tuple[str, ...], ref: str) -> tuple[str, ...]:
    """Return `refs` without `ref`."""
    return tuple(each for each in refs if each != ref)
