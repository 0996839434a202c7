"""Who reported an incident, or one that was merged into it. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.domain import events

_NONE: Mapping[str, tuple[str, ...]] = {}


class Reporters(NamedTuple):
    """The people who reported it: its users."""

    own: tuple[str, ...] = ()
    absorbed: Mapping[str, tuple[str, ...]] = _NONE
    """Those of the incidents that were merged into it."""

    @property
    def all(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.own}.union(*self.absorbed.values())))

    def after(self, event: events.AnyEvent) -> "Reporters":
        """Return them after an event of the incident."""
        match event:
            case events.IncidentOpened(reporter=str(person)):
                return self._replace(own=(person,))
            case events.IncidentContacted(
                direction="inbound", person=person, unconfirmed=None | False
            ):
                return self._replace(own=tuple(dict.fromkeys((*self.own, person))))
            case events.IncidentAbsorbed(merged=merged, reporters=reporters):
                absorbed = {**self.absorbed, merged: tuple(reporters)}
                return self._replace(absorbed=absorbed)
            case events.IncidentReleased(merged=merged):
                left = {ref: who for ref, who in self.absorbed.items() if ref != merged}
                return self._replace(absorbed=left)
            case _:
                return self


NOBODY = Reporters()
"""Before anybody has reported it."""
