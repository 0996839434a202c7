"""A trouble at a desk without servers, and a clock that is moved by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.intake.records.signal import Signal, signal_key
from services.intake.signals.rules.context import KeyRow
from shared.domain.commands.incident import IncidentCommand, Resolve
from shared.domain.events import IncidentEvent
from shared.domain.incident import Incident
from tests.support.desks.pure import ALONE, FIRST_BY_SIGNAL, Command, Heard, PureDesk
from tests.support.policies import full
from tests.unit.intake.commands.scenario import (
    NINE,
    ODETTE,
    OPEN_WINDOWS,
    ROUND_THE_CLOCK,
)

FIRST = f"INC-{FIRST_BY_SIGNAL:06}"
SECOND = f"INC-{FIRST_BY_SIGNAL + 1:06}"
K1 = signal_key("prom", "k1")
WINDOW = ROUND_THE_CLOCK.reopen_within
A_MINUTE = timedelta(minutes=1)
A_SECOND = timedelta(seconds=1)
RESOLVE = Resolve(force=True, reason="the probe is unplugged")
"""Resolves also what still fires."""


@dataclass
class Trouble:
    """The trouble `k1` of the source `prom`, and what the desk makes of it."""

    desk: PureDesk = field(default_factory=lambda: PureDesk(ROUND_THE_CLOCK))
    now: datetime = NINE

    def hears(self, action: str, **said: Any) -> Heard:
        """Let the source say something now."""
        usual = {
            "source": "prom",
            "dedup_key": "k1",
            "title": "Tickets cannot be bought",
            "severity": "warning",
        }
        signal = Signal.model_validate({**usual, "action": action, **said})
        return self.desk.hear(signal, self.now)

    def wishes(self, wish: IncidentCommand, ref: str = FIRST) -> list[IncidentEvent]:
        """Let Odette do something now."""
        return self.desk.take(self.command(wish, ref))

    def command(
        self, wish: IncidentCommand, ref: str = FIRST, new: str | None = None
    ) -> Command:
        """Return a command of Odette's now."""
        return Command(ref, self.now, ODETTE, wish, ("agent",), new)

    def later(self, span: timedelta) -> "Trouble":
        """Move the clock."""
        self.now += span
        return self

    def waits(self, span: timedelta) -> list[IncidentEvent]:
        """Let time pass, and somebody look at what came due."""
        self.now += span
        return self.desk.pass_time(self.now)

    @property
    def row(self) -> KeyRow:
        """What is known of the trouble."""
        return self.desk.rows[K1]

    @property
    def incident(self) -> Incident:
        """The incident the trouble came to."""
        return self.desk.incidents[self.row.incident or ""]


def at_desk(settings: str, *changes: tuple[str, str]) -> Trouble:
    """Return a trouble at a desk where the source `prom` has these settings."""
    policy = full(*OPEN_WINDOWS, (ALONE[0], settings), *changes)
    return Trouble(PureDesk(policy))


def firing() -> Trouble:
    """Return a trouble that fires since NINE."""
    trouble = Trouble()
    trouble.hears("trigger", service="horaires")
    return trouble


def types(heard: Heard | Sequence[IncidentEvent]) -> list[str]:
    """Return the types of what is appended, without `incident.`."""
    events = heard.events if isinstance(heard, Heard) else heard
    return [event.type.removeprefix("incident.") for event in events]


def only(heard: Heard) -> IncidentEvent:
    """Return the one event there must be."""
    (event,) = heard.events
    return event
