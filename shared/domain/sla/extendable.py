"""Which clock of an incident can be extended, or why none can."""

from collections.abc import Collection, Sequence

from shared.domain.refusal import Refused
from shared.domain.sla.clock import Clock


def extendable(
    incident: str, clocks: Sequence[Clock], cycle: int, reporters: Collection[str]
) -> Clock:
    """Return the clock whose users can be asked for more time; raises `Refused`."""
    found = [clock for clock in clocks if clock.name.target == "ttr"]
    if not found:
        raise Refused(
            f"nothing was promised about when {incident} is resolved: there is "
            "nothing to extend",
            "state",
        )
    clock = found[-1]
    if not clock.measures or clock.name.cycle != cycle:
        raise Refused(
            f"the time to resolve {incident} is over ({clock.state}): there is "
            "nothing to extend",
            "state",
        )
    if not reporters:
        raise Refused(
            f"nobody reported {incident}: there is nobody to ask for more time",
            "state",
        )
    if clock.asked is not None:
        raise Refused(
            f"{clock.asked.ref} is not answered yet: have it accepted or refused first",
            "state",
        )
    return clock
