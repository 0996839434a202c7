"""A trouble at a desk without servers, and a clock that is moved by hand."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.intake.commands import Command
from services.intake.correlation import Correlated, KeyRow
from services.intake.signals import Signal, signal_key
from shared.events import IncidentEvent
from shared.incident import Incident
from shared.wishes import PersonsWish
from tests.support.pure_desk import FIRST_BY_SIGNAL, PureDesk

from .spec import NINE, ODETTE, ROUND_THE_CLOCK

FIRST = f"INC-{FIRST_BY_SIGNAL:06}"
SECOND = f"INC-{FIRST_BY_SIGNAL + 1:06}"
K1 = signal_key("prom", "k1")
WINDOW = ROUND_THE_CLOCK.reopen_within
A_MINUTE = timedelta(minutes=1)
A_SECOND = timedelta(seconds=1)


@dataclass
class Trouble:
    """The trouble `k1` of the source `prom`, and what the desk makes of it."""

    desk: PureDesk = field(default_factory=lambda: PureDesk(ROUND_THE_CLOCK))
    now: datetime = NINE

    def hears(self, action: str, **said: Any) -> Correlated:
        """Let the source say something now."""
        usual = {
            "source": "prom",
            "dedup_key": "k1",
            "title": "Tickets cannot be bought",
            "severity": "warning",
        }
        signal = Signal.model_validate({**usual, "action": action, **said})
        return self.desk.hear(signal, self.now)

    def wishes(self, wish: PersonsWish, ref: str = FIRST) -> list[IncidentEvent]:
        """Let Odette do something now."""
        return self.desk.take(Command(ref, self.now, ODETTE, wish, ("agent",)))

    def later(self, span: timedelta) -> "Trouble":
        """Move the clock."""
        self.now += span
        return self

    @property
    def row(self) -> KeyRow:
        """What is known of the trouble."""
        return self.desk.rows[K1]

    @property
    def incident(self) -> Incident:
        """The incident the trouble came to."""
        return self.desk.incidents[self.row.incident or ""]


def firing() -> Trouble:
    """Return a trouble that fires since NINE."""
    trouble = Trouble()
    trouble.hears("trigger", service="horaires")
    return trouble


def types(heard: Correlated) -> list[str]:
    """Return the types of what is appended, without `incident.`."""
    return [event.type.removeprefix("incident.") for event in heard.events]


def only(heard: Correlated) -> IncidentEvent:
    """Return the one event there must be."""
    (event,) = heard.events
    return event
