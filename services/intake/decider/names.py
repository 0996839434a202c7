"""What a command calls by name must stand in the policy."""

from collections.abc import Collection
from heapq import nsmallest

from services.intake.decider.refused import Refused

_SHOWN_MAX = 12


def known(kind: str, name: str, names: Collection[str]) -> str:
    """Return `name` if it is one of `names`; else raise `Refused`, naming some."""
    if name in names:
        return name
    shown = ", ".join(nsmallest(_SHOWN_MAX, names)) or "none"
    more = ", …" if len(names) > _SHOWN_MAX else ""
    raise Refused(
        f"the policy has no {kind} `{name}`: choose one of {shown}{more}", "invalid"
    )
