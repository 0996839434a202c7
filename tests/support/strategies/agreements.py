"""Any life of an incident in which people ask for more time, and what the log holds.

What happens is lawful, as intake would let it happen; what people ask need not be.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st

from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.commands import decide_command
from shared.domain.commands.sla import (
    AcceptExtension,
    AttributeBreach,
    ProposeExtension,
    RefuseExtension,
    SlaCommand,
)
from shared.domain.events import AnyEvent
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentClassified,
    IncidentInformed,
    IncidentOpened,
    IncidentPaused,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
)
from shared.domain.identifiers import extension_ref, incident_stream
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.eventlog.entry import Entry
from shared.messaging.commands import CommandRequest
from shared.process_manager.process import Desk
from tests.support.builders.promises import INCIDENT, local, watching

LONG = timedelta(days=60)
Made = tuple[type[Any], dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """So long after the one before, something happens, or somebody asks something."""

    gap: timedelta
    what: str
    hours: int = 0


STEPS = st.builds(
    Step,
    gap=st.sampled_from([0, 1, 1, 5, 5, 30, 120, 3_000]).map(
        lambda n: timedelta(minutes=n)
    ),
    what=st.sampled_from(
        [
            *("propose", "accept", "propose", "accept", "refuse", "attribute"),
            *("acknowledge", "inform", "pause", "resume", "pause", "resume"),
            *("restore", "relapse", "resolve", "reopen", "p1", "p3", "p2"),
        ]
    ),
    hours=st.integers(5, 120),
)
SCRIPTS = st.lists(STEPS, min_size=8, max_size=25)


@dataclass
class Lived:
    """One incident, the watcher at work on it, and the log that comes of both."""

    policy: Policy
    late: bool = False
    log: list[Entry] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: local("09:10"))
    desk: Desk[Case, PolicyOf] = field(init=False)
    _version: int = 0
    _kept: int = 0
    _state: str = "open"
    _paused: bool = False
    _restored: bool = False
    _cycle: int = 1

    def __post_init__(self) -> None:
        """Open it: Roche's, on payroll, P2."""
        self.desk = fresh(self.policy)
        words = {"service": "paie", "impact": "high", "urgency": "medium"}
        self._happens(
            IncidentOpened,
            origin="user",
            title="Totaux faux",
            priority="p2",
            team="desk",
            reporter="roche",
            reported_at=self.now,
            **words,
        )

    def plays(self, script: list[Step]) -> "Lived":
        """Let it all happen, then two months pass."""
        for step in script:
            self.now += step.gap
            self._on_time()
            if (made := self._lawful(step)) is not None:
                self._happens(made[0], **made[1])
            elif (wish := self._wished(step)) is not None:
                self._asks(wish)
        self.now += LONG
        self.late = False
        self._on_time()
        return self

    def _on_time(self) -> None:
        while (
            not self.late
            and (due := self.desk.next_at()) is not None
            and due <= self.now
        ):
            self.desk.reach(due, due)
        self._keep()

    def _happens(self, kind: type[Any], **words: Any) -> None:
        common = {"incident": INCIDENT, "policy": 1, "by": "person:nadia"}
        event = kind(**common, at=self.now, **words)
        self._version += 1
        entry = self._note(incident_stream(INCIDENT), self._version, event)
        self.desk.take(entry, self.now + LONG if self.late else self.now)
        self._keep()

    def _asks(self, wish: SlaCommand) -> None:
        """Do what `CommandHandler` does, but for looking evidence up."""
        self.desk.reach(self.now, self.now)
        self._keep()
        case = self.desk.case
        assert case is not None
        number = sum(len(clock.extensions) for clock in case.clocks)
        request = CommandRequest[SlaCommand](
            incident=INCIDENT,
            record=extension_ref(INCIDENT, max(1, number)),
            actor="person:nadia",
            scopes=("agent", "manager"),
            body=wish,
        )
        try:
            events = decide_command(request, case, self.now, self.desk.known)
        except Refused:
            return
        for event in events:
            self.desk.record(event)
        self.desk.reach(self.now, self.now)
        self._keep()

    def _keep(self) -> None:
        for stream, version, event in self.desk.decided[self._kept :]:
            self._note(stream, version, event)
        self._kept = len(self.desk.decided)

    def _note(self, stream: str, version: int, event: AnyEvent) -> Entry:
        place = len(self.log) + 1
        entry = Entry(place, stream, version, event.type, self.now, None, event)
        self.log.append(entry)
        return entry

    def _wished(self, step: Step) -> SlaCommand | None:
        match step.what:
            case "propose":
                until = self.now + timedelta(hours=step.hours)
                return ProposeExtension(new_due_at=until, reason="pièce")
            case "accept":
                return AcceptExtension(
                    accepted_by="roche", channel="phone", evidence="oui"
                )
            case "refuse":
                return RefuseExtension(refused_by="roche", channel="phone")
            case "attribute":
                return AttributeBreach(party="user", reason="absent")
            case _:
                return None

    def _lawful(self, step: Step) -> Made | None:
        """Return what happens; None where it cannot, or is a wish."""
        do = _HAPPENINGS.get((self._state, step.what))
        return None if do is None else do(self)

    def _reopen(self) -> Made:
        self._state, self._restored = "open", False
        self._cycle += 1
        words = {"cycle": self._cycle, "cause": "user", "after_closure": False}
        return IncidentReopened, words

    def _resolve(self) -> Made:
        self._state, self._paused = "resolved", False
        return IncidentResolved, {"cycle": self._cycle}

    def _pause(self) -> Made | None:
        if self._paused:
            return None
        self._paused = True
        return IncidentPaused, {"reason": "user", "question": "Quel mois ?"}

    def _resume(self) -> Made | None:
        if not self._paused:
            return None
        self._paused = False
        return IncidentResumed, {"cause": "reply"}

    def _restore(self) -> Made | None:
        if self._restored:
            return None
        self._restored = True
        return IncidentRestored, {}

    def _relapse(self) -> Made | None:
        if not self._restored:
            return None
        self._restored = False
        return IncidentRelapsed, {}

    def _classify(self, priority: str) -> Made:
        words = {"service": "paie", "impact": "high", "urgency": "medium"}
        return IncidentClassified, {**words, "priority": priority}


_HAPPENINGS: dict[tuple[str, str], Callable[[Lived], Made | None]] = {
    ("open", "acknowledge"): lambda _: (IncidentAcknowledged, {}),
    ("open", "inform"): lambda _: (IncidentInformed, {"message": "Bientôt."}),
    ("open", "pause"): Lived._pause,  # its own
    ("open", "resume"): Lived._resume,
    ("open", "restore"): Lived._restore,
    ("open", "relapse"): Lived._relapse,
    ("open", "resolve"): Lived._resolve,
    ("resolved", "reopen"): Lived._reopen,
    **{
        ("open", priority): partial(Lived._classify, priority=priority)
        for priority in ("p1", "p2", "p3")
    },
}


def fresh(policy: Policy) -> Desk[Case, PolicyOf]:
    """Return a watcher that knows nothing yet."""
    return Desk(INCIDENT, watching(policy), lambda _: policy, None, {})
