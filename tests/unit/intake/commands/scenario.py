"""Given these events, when somebody wishes this, then these events (or this no)."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from services.intake.records.rules import DecisionContext, decide
from services.intake.records.rules.context import Helper
from services.intake.records.system_command import AnyCommand
from shared.domain.change import Change
from shared.domain.events import IncidentEvent, is_incident_event
from shared.domain.events.event import Event
from shared.domain.events.incident import IncidentContacted, IncidentOpened
from shared.domain.incident import replay
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import SupportLevel
from shared.domain.problem import Problem
from shared.domain.refusal import Refused
from tests.support.desks.pure import ALONE, Command
from tests.support.policies import full

INC = "INC-000042"
OTHER = "INC-000007"
NEW = "INC-000099"
NINE = datetime(2025, 6, 30, 7, tzinfo=UTC)
LATER = NINE + timedelta(minutes=7)
ODETTE = "person:odette"
MONITOR = "source:prom"
KEY, KEY_2 = "a" * 64, "b" * 64
POLICY = full()
OPEN_WINDOWS = (
    ("36h30m\n  calendar: jour", "36h30m\n  calendar: toujours"),
    ("calendar: jour, p1_calendar", "calendar: toujours, p1_calendar"),
)
ROUND_THE_CLOCK = full(*OPEN_WINDOWS, ALONE)
"""The same desk, whose windows after an incident are always open."""

E = TypeVar("E", bound=Event)


def event(kind: type[E], /, **fields: Any) -> E:
    """Return an event of INC, of Odette, at LATER, where nothing else is said."""
    common = {"incident": INC, "at": LATER, "by": ODETTE, "policy": 1}
    return kind(**{**common, **fields})


def opened(**fields: Any) -> IncidentOpened:
    """Return an incident monitoring opened at NINE."""
    usual = {
        "at": NINE,
        "by": MONITOR,
        "whose": MONITOR,
        "origin": "monitoring",
        "title": "Tickets cannot be bought",
        "service": "billetterie",
        "impact": "high",
        "urgency": "low",
        "severity": "info",
        "priority": "p2",
        "team": "accueil",
        "source": "prom",
        "signal_key": KEY,
        "dedup_key": "k1",
        "reported_at": NINE,
        "received_at": NINE,
    }
    return event(IncidentOpened, **{**usual, **fields})


def reported(**fields: Any) -> IncidentOpened:
    """Return an incident Lefèvre reported by e-mail at NINE."""
    usual = {
        "by": ODETTE,
        "whose": "person:lefevre",
        "origin": "user",
        "reporter": "lefevre",
        "source": None,
        "signal_key": None,
        "dedup_key": None,
        "severity": None,
        "received_at": None,
    }
    return opened(**{**usual, **fields})


def called(person: str = "lefevre", **fields: Any) -> IncidentContacted:
    """Return a call of a person to the desk."""
    usual = {"direction": "inbound", "channel": "phone", "contacted_at": LATER}
    return event(IncidentContacted, person=person, **{**usual, **fields})


@dataclass(frozen=True)
class When:
    """A history and a command about it."""

    history: tuple[IncidentEvent, ...]
    other: tuple[IncidentEvent, ...]
    record: Problem | Change | None
    command: Command
    policy: Policy = POLICY
    helper: Helper | None = None
    strangers: frozenset[str] = frozenset()

    def events(self) -> list[IncidentEvent]:
        """Return what is decided about incidents."""
        command = self.command
        others = [each for each in (replay(self.other), self.record) if each]
        context = DecisionContext(
            command.incident,
            command.at,
            command.by,
            self.policy,
            1,
            command.roles,
            {each.ref: each for each in others},
            self.helper,
            command.new,
            command.client,
            self.strangers,
        )
        decided = decide(command.wish, replay(self.history), context)
        return [event for event in decided if is_incident_event(event)]

    def where_unknown(self, *people: str) -> "When":
        """Let neither the directory nor a right know these people."""
        return replace(self, strangers=frozenset(people))

    def then(self, *expected: IncidentEvent) -> None:
        """Require these events. Whose key seals their words is told apart."""
        assert [_keyless(e) for e in self.events()] == [_keyless(e) for e in expected]

    def then_types(self, *expected: str) -> None:
        """Require events of these types, without `incident.` before them."""
        assert [e.type.removeprefix("incident.") for e in self.events()] == [*expected]

    def then_refused(self, because: str, code: str = "state") -> None:
        """Require a no whose sentence holds these words."""
        with pytest.raises(Refused, match=because) as no:
            self.events()
        assert no.value.code == code


def _keyless(decided: IncidentEvent) -> IncidentEvent:
    return decided.model_copy(update={"whose": None})


@dataclass(frozen=True)
class Given:
    """A history, perhaps with that of a second incident."""

    history: tuple[IncidentEvent, ...]
    other: tuple[IncidentEvent, ...] = field(default=())
    record: Problem | Change | None = None
    helper: Helper | None = None

    def with_helper(
        self, team: str, person: str | None = None, level: SupportLevel = "n2"
    ) -> "Given":
        """Let people above the desk look into it."""
        return replace(self, helper=Helper(team, level, person))

    def and_given_since(self) -> "Given":
        """Let its last assignment come after all that its escalation says."""
        assert self.helper is not None
        return replace(self, helper=self.helper._replace(given_since=True))

    def and_lapsed_since(self) -> "Given":
        """Let it lapse that somebody accepted it."""
        assert self.helper is not None
        lapsed = self.helper._replace(person=None, has_lapsed=True)
        return replace(self, helper=lapsed)

    def beside(self, *other: IncidentEvent) -> "Given":
        """Add the history of the second incident."""
        return replace(self, other=other)

    def with_record(self, record: Problem | Change) -> "Given":
        """Add the problem or change that is linked to."""
        return replace(self, record=record)

    def when(self, wish: AnyCommand, **said: Any) -> When:
        """Let Odette wish this at LATER, where nothing else is said."""
        usual = {"incident": INC, "at": LATER, "by": ODETTE, "roles": ("agent",)}
        command = Command(wish=wish, **{**usual, **said})
        return When(self.history, self.other, self.record, command, helper=self.helper)


def given(*history: IncidentEvent) -> Given:
    """Begin a sentence."""
    return Given(history)
