"""Escalation without servers: what happened goes in, what help is sought comes out.

Instants are local times in Paris, as in `tests.support.promises`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from services.escalation.process import follows, owns, stream_of
from services.escalation.rules.case import Case
from services.escalation.rules.context import Crossing, EscalationContext, terms_by
from services.escalation.rules.decider import decide, next_at, react
from services.escalation.rules.evolve import evolve
from services.escalation.rules.problem_match import OpenProblems
from shared.domain.events import AnyEvent
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationPaged,
    EscalationRaised,
    EscalationReturned,
    EscalationUnanswered,
)
from shared.domain.events.handover import HandoverRequested, ServiceHandoverRequested
from shared.domain.events.incident import IncidentOpened
from shared.domain.events.notification import NotificationRequested
from shared.domain.events.problem import (
    ProblemResolved,
    ProblemSuggested,
    ProblemWorkaroundPublished,
)
from shared.domain.events.sla import SlaBreached, SlaWarned
from shared.domain.identifiers import (
    change_stream,
    incident_stream,
    problem_stream,
    sla_stream,
)
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry
from shared.process_manager.process import Desk, ProcessManager
from tests.support.promises import INCIDENT, VALMONT, local, shown

NO_PROBLEMS = OpenProblems()
Happening = tuple[type[Any], dict[str, Any]]
"""An event that enters the log: its class and words."""


def without_steps(policy: Policy) -> Policy:
    """Return the policy with nobody to be paged by turns."""
    escalation = policy.escalation.model_copy(update={"functional": ()})
    return policy.model_copy(update={"escalation": escalation})


def rules(known: EscalationContext) -> ProcessManager[Case, EscalationContext]:
    """Return the rules of the service, with what they look up."""
    return ProcessManager(
        schema="escalation",
        react=react,
        evolve=evolve,
        decide=decide,
        next_at=next_at,
        stream_of=stream_of,
        follows=follows,
        owns=owns,
        known=lambda _cursor, _incidents: known,
        adapter=TypeAdapter(Case),
    )


def knowing(
    policy: Policy,
    log: Sequence[Entry] = (),
    problems: OpenProblems = NO_PROBLEMS,
    crossing: Callable[[int], Crossing | None] = lambda _position: None,
    *,
    webhook: bool = False,
    alike: Mapping[str, Sequence[str]] | None = None,
) -> EscalationContext:
    """Return what the rules may look up: one policy, and the rest of `log`."""

    def rest(stream: str, version: int, moment: datetime) -> Sequence[AnyEvent]:
        return [
            entry.event
            for entry in log
            if entry.stream == stream
            and entry.version > version
            and entry.recorded_at == moment
        ]

    def policy_of(_: int) -> Policy:
        return policy

    return EscalationContext(
        policy_of,
        terms_by(policy_of),
        lambda incident, _service, _position: (
            problems if incident else problems._replace(of_signature=())
        ),
        crossing,
        rest,
        lambda problem, position: newest_workaround(log, problem, position),
        webhook=webhook,
        alike=alike or {},
    )


def newest_workaround(log: Sequence[Entry], problem: str, position: int) -> int | None:
    """Return the version of a problem's newest workaround before a position."""
    found: int | None = None
    for entry in log[: position - 1]:
        match entry.event:
            case ProblemWorkaroundPublished(problem=ref) if ref == problem:
                found = entry.version
            case ProblemResolved(problem=ref) if ref == problem:
                return None
            case _:
                pass
    return found


@dataclass
class Search:
    """One incident, and the service at work on it."""

    policy: Policy = VALMONT
    webhook: bool = False
    problems: tuple[str, ...] = ()
    """The open problems of its service."""
    alike_problems: tuple[str, ...] = ()
    """The open problems that have an incident of its signature."""
    crossing: Crossing | None = None
    """What uses its service's budget up with the newest entry, if it is a breach."""
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Those of one kind that it made too many, by itself."""
    log: list[Entry] = field(default_factory=list)
    _desk: Desk[Case, EscalationContext] | None = None

    @property
    def desk(self) -> Desk[Case, EscalationContext]:
        """The case on the table."""
        if self._desk is None:
            known = knowing(
                self.policy,
                self.log,
                OpenProblems(self.alike_problems, self.problems),
                lambda at: self.crossing if at == len(self.log) else None,
                webhook=self.webhook,
                alike=self.alike,
            )
            self._desk = Desk(INCIDENT, rules(known), known, None, {})
        return self._desk

    @property
    def case(self) -> Case:
        """What is remembered of the incident."""
        assert self.desk.case is not None
        return self.desk.case

    @property
    def said(self) -> list[AnyEvent]:
        """All that was decided."""
        return [event for _, _, event in self.desk.decided]

    def opened(self, when: str, *later: Happening, **words: Any) -> list[str]:
        """Open the incident: a user's, on payroll, P2, unless said otherwise."""
        given: dict[str, Any] = {
            "origin": "user",
            "title": "Totaux faux",
            "service": "paie",
            "impact": "high",
            "urgency": "medium",
            "priority": "p2",
            "team": "desk",
            "reporter": "roche",
            "reported_at": local(when),
            "by": "person:roche",
        }
        return self.at_once(when, (IncidentOpened, given | words), *later)

    def happens(self, when: str, kind: type[Any], **words: Any) -> list[str]:
        """Let an event enter the log; return what the service says to it, in short."""
        return self.at_once(when, (kind, words))

    def at_once(self, when: str, *what: Happening) -> list[str]:
        """Let events of one transaction enter the log."""
        at = local(when)
        fresh = [self._entry(at, kind, words) for kind, words in what]

        def take() -> None:
            for entry in fresh:
                self.desk.take(entry, at)

        return self._heard(take)

    def warned(self, when: str, **words: Any) -> list[str]:
        """Let the SLA watcher warn: of TTR at three quarters, unless said otherwise."""
        given = {"target": "ttr", "percent": 75, "warned_at": local(when)}
        return self.happens(when, SlaWarned, **(_clock(when) | given | words))

    def breached(self, when: str, **words: Any) -> list[str]:
        """Let the SLA watcher say that TTR, or another target, is breached."""
        given = {
            "target": "ttr",
            "contract": "valmont",
            "seconds": 21_600,
            "breached_at": local(when),
        }
        return self.happens(when, SlaBreached, **(_clock(when) | given | words))

    def passes(self, until: str) -> list[str]:
        """Let time pass and the service wake whenever something is due."""
        said: list[str] = []
        end = local(until)
        while (due := self.desk.next_at()) is not None and due <= end:
            said += self._heard(partial(self.desk.reach, due, due))
        return said

    def _entry(self, at: datetime, kind: type[Any], words: dict[str, Any]) -> Entry:
        common = {"policy": 1, "at": at, "by": "person:nadia", "incident": INCIDENT}
        event: AnyEvent = kind(**(common | words))
        stream = _stream(event)
        version = 1 + sum(entry.stream == stream for entry in self.log)
        entry = Entry(len(self.log) + 1, stream, version, event.type, at, None, event)
        self.log.append(entry)
        return entry

    def _heard(self, act: Callable[[], None]) -> list[str]:
        before = len(self.desk.decided)
        act()
        return [brief(event) for _, _, event in self.desk.decided[before:]]


def brief(event: AnyEvent) -> str:  # noqa: C901, PLR0911 one return an event
    """Return a decision as the tests write it."""
    match event:
        case Escalated():
            to = f"{event.from_level}→{event.to_level} {event.team}"
            return f"{shown(event.escalated_at)} {to} {event.cause}"
        case EscalationReturned():
            to = f"{event.from_level}→{event.to_level} {event.team}"
            return f"{shown(event.returned_at)} {to} returned"
        case EscalationPaged():
            return f"{shown(event.due_at)} page {'+'.join(event.people)}"
        case EscalationAccepted():
            return f"accepted by {event.person}"
        case EscalationUnanswered():
            return f"{shown(event.unanswered_at)} unanswered"
        case EscalationRaised():
            return f"{shown(event.raised_at)} {event.on} to {'+'.join(event.people)}"
        case HandoverRequested():
            return f"handover to {event.problem or event.team}"
        case ProblemSuggested():
            return f"suggested to {event.team}: {'+'.join(event.incidents)}"
        case ServiceHandoverRequested():
            return f"service {event.service} to {event.problem or event.team}"
        case NotificationRequested():
            return f"{event.kind} → {event.person or event.channel}"
        case _:
            return event.type


def _clock(when: str) -> dict[str, Any]:
    return {"cycle": 1, "due_at": local(when), "by": "system:sla_watcher"}


def _stream(event: AnyEvent) -> str:
    if event.type.startswith("problem."):
        return problem_stream(getattr(event, "problem"))  # noqa: B009 some events have it
    if event.type.startswith("change."):
        return change_stream(getattr(event, "change"))  # noqa: B009 likewise
    if event.type.startswith("sla."):
        return sla_stream(INCIDENT)
    return incident_stream(INCIDENT)
