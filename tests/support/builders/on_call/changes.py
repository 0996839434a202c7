"""Changes of on-call schedules without servers: commands go in, events come out.

The desk is that of Valmont: in `astreinte` amina, bruno and chloe take weekly turns
from Monday at nine in Paris. At `NOW` it is bruno's, until Monday 7 July.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.intake.on_call.rules.context import Changer
from services.intake.on_call.rules.schedules import decide, decide_absence
from shared.domain.commands.on_call import BODIES, AbsenceCommand
from shared.domain.events.on_call import OnCallEvent, ScheduleChangeEvent
from shared.domain.limits import Limits
from shared.domain.on_call import Roster, on_call
from shared.domain.on_call.schedule_changes import (
    NO_CHANGES,
    Absences,
    ScheduleChanges,
    replay,
    replay_absences,
    roster,
)
from shared.domain.policy.document import Policy
from shared.messaging.commands import Scope
from tests.support.builders.promises import VALMONT

NOW = datetime(2025, 6, 30, 10, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SCHEDULE = "astreinte"


@dataclass
class Changes:
    """A schedule with what people changed of it, at an instant that a test sets."""

    policy: Policy = VALMONT
    now: datetime = NOW
    held: ScheduleChanges = NO_CHANGES
    absences: Absences = field(default_factory=dict)
    version: int = 0

    @property
    def roster(self) -> Roster:
        """Who is on call, by the policy and by what people changed."""
        schedule = self.policy.schedules[SCHEDULE]
        return roster(schedule, self.held, tuple(self.absences.values()))

    def says(
        self,
        who: str,
        verb: str,
        *,
        scopes: Sequence[Scope] = ("agent",),
        limits: Limits | None = None,
        strangers: Sequence[str] = (),
        **body: Any,
    ) -> list[OnCallEvent]:
        """Let somebody send a command; return its events, which are then in force.

        Instants are given as days from `NOW`.
        """
        command = BODIES[verb].model_validate(_with_instants(verb, body))
        within = dict.fromkeys(scopes, (limits,)) if limits else {}
        changer = Changer(
            f"person:{who}", self.now, scopes, within, self.policy, strangers
        )
        if isinstance(command, AbsenceCommand):
            away = decide_absence(command, self.absences, self.version + 1, changer)
            self.absences = replay_absences(away, self.absences)
            self.version += len(away)
            return list(away)
        events = decide(command, self.held, self.roster, self.version + 1, changer)
        self.held = replay(events, self.held)
        self.version += len(events)
        return list(events)

    def take(self, event: ScheduleChangeEvent) -> None:
        """Let an event of the schedule be in force."""
        self.held = replay([event], self.held)

    def on_call(self, days: float) -> tuple[str, ...]:
        """Return who is on call so many days after `NOW`."""
        return on_call(self.roster, NOW + days * DAY)


def _with_instants(verb: str, body: dict[str, Any]) -> dict[str, Any]:
    about = {} if "absence" in verb else {"schedule": SCHEDULE}
    given = {
        name: NOW + value * DAY if isinstance(value, int | float) else value
        for name, value in body.items()
    }
    return about | given


def without_team_schedules(policy: Policy) -> Policy:
    """Return the policy in which no team uses a schedule."""
    teams = {
        name: team.model_copy(update={"schedule": None})
        for name, team in policy.teams.items()
    }
    return policy.model_copy(update={"teams": teams})
