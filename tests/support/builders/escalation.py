"""Escalation without servers: what happened goes in, what help is sought comes out.

Instants are local times in Paris, as in `tests.support.builders.promises`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from services.escalation.process import BOOKMARK, follows, owns, stream_of
from services.escalation.round_robin.rules import Turn
from services.escalation.rules.budget import Crossing
from services.escalation.rules.case import Case
from services.escalation.rules.context import (
    EscalationContext,
    MethodsOf,
    OpenProblems,
    everybody_by_mail,
    terms_by,
)
from services.escalation.rules.decider import decide, next_at, react
from services.escalation.rules.evolve import evolve
from shared.domain import events
from shared.domain.contact_methods import ContactMethods
from shared.domain.identifiers import (
    change_stream,
    incident_stream,
    problem_stream,
    sla_stream,
)
from shared.domain.on_call.schedule_changes import NO_CHANGES, ScheduleChanges, roster
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry
from shared.process_manager.process import Desk, ProcessManager
from tests.support.builders.promises import INCIDENT, VALMONT, local, shown

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
        bookmark=BOOKMARK,
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


def knowing(  # noqa: PLR0913 # what the rules look up
    policy: Policy,
    log: Sequence[Entry] = (),
    problems: OpenProblems = NO_PROBLEMS,
    crossing: Callable[[int], Crossing | None] = lambda _position: None,
    *,
    webhook: bool = False,
    alike: Mapping[str, Sequence[str]] | None = None,
    methods_of: MethodsOf = everybody_by_mail,
    is_alarmed: Callable[[str], bool] = lambda _person: False,
    zones: Mapping[str, str] | None = None,
    last_turn: Callable[[str], Turn | None] = lambda _target: None,
) -> EscalationContext:
    """Return what the rules may look up: one policy, and the rest of `log`."""

    def rest(stream: str, version: int, moment: datetime) -> Sequence[events.AnyEvent]:
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
        lambda of, schedule, _at: roster(of.schedules[schedule]),
        lambda: policy,
        lambda problem, position: newest_workaround(log, problem, position),
        webhook=webhook,
        methods_of=methods_of,
        is_alarmed=is_alarmed,
        last_turn=last_turn,
        zone_of=(zones or {}).get,
        alike=alike or {},
    )


def newest_workaround(log: Sequence[Entry], problem: str, position: int) -> int | None:
    """Return the version of a problem's newest workaround before a position."""
    found: int | None = None
    for entry in log[: position - 1]:
        match entry.event:
            case events.ProblemWorkaroundPublished(problem=ref) if ref == problem:
                found = entry.version
            case events.ProblemResolved(problem=ref) if ref == problem:
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
    changes: ScheduleChanges = NO_CHANGES
    """What people have changed of every schedule."""
    methods: Mapping[str, ContactMethods] = field(default_factory=dict)
    """How people are reached; others have a verified address."""
    alarmed: set[str] = field(default_factory=set)
    """Whose managers know that they have no verified contact method."""
    with_exhaustions: bool = False
    """Whether answers include that nobody is left to page, and who is told of it."""
    turns: Mapping[str, Turn] = field(default_factory=dict)
    """The last turns of targets, by their keys."""
    zones: Mapping[str, str] = field(default_factory=dict)
    """Time zones of people, if they are not that of the desk."""
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
                methods_of=self._methods_of,
                is_alarmed=self.alarmed.__contains__,
                zones=self.zones,
                last_turn=self.turns.get,
            )
            known = replace(
                known,
                roster_of=lambda of, name, _at: roster(
                    of.schedules[name], self.changes
                ),
            )
            self._desk = Desk(INCIDENT, rules(known), known, None, {})
        return self._desk

    def _methods_of(self, people: Sequence[str]) -> Mapping[str, ContactMethods]:
        return {**everybody_by_mail(people), **self.methods}

    def ends(self, when: str, key: str, *, failed: bool) -> list[str]:
        """Let a message arrive, or fail for good; return what follows."""
        at = local(when)
        common = {"at": at, "by": "system:escalation", "incident": INCIDENT}
        outcome: events.AnyEvent = (
            events.NotificationFailed(**common, key=key, attempts=1, reason="refused")
            if failed
            else events.NotificationConfirmed(
                **common, key=key, attempts=1, receipt="250 OK"
            )
        )

        def settle() -> None:
            self.desk.record(outcome)
            self.desk.reach(at, at)

        return self._heard(settle)

    def throttles(self, when: str, key: str, **wait: int) -> list[str]:
        """Let limits hold a message back for a time; return what follows."""
        at = local(when)
        event = events.NotificationThrottled(
            at=at,
            by="system:escalation",
            incident=INCIDENT,
            key=key,
            until=at + timedelta(**wait),
        )

        def settle() -> None:
            self.desk.record(event)
            self.desk.reach(at, at)

        return self._heard(settle)

    @property
    def case(self) -> Case:
        """What is remembered of the incident."""
        assert self.desk.case is not None
        return self.desk.case

    @property
    def said(self) -> list[events.AnyEvent]:
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
        return self.at_once(when, (events.IncidentOpened, given | words), *later)

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
        return self.happens(when, events.SlaWarned, **(_clock(when) | given | words))

    def breached(self, when: str, **words: Any) -> list[str]:
        """Let the SLA watcher say that TTR, or another target, is breached."""
        given = {
            "target": "ttr",
            "contract": "valmont",
            "seconds": 21_600,
            "breached_at": local(when),
        }
        return self.happens(when, events.SlaBreached, **(_clock(when) | given | words))

    def passes(self, until: str) -> list[str]:
        """Let time pass and the service wake whenever something is due."""
        said: list[str] = []
        end = local(until)
        while (due := self.desk.next_at()) is not None and due <= end:
            said += self._heard(partial(self.desk.reach, due, due))
        return said

    def _entry(self, at: datetime, kind: type[Any], words: dict[str, Any]) -> Entry:
        common = {"policy": 1, "at": at, "by": "person:nadia", "incident": INCIDENT}
        event: events.AnyEvent = kind(**(common | words))
        stream = _stream(event)
        version = 1 + sum(entry.stream == stream for entry in self.log)
        entry = Entry(len(self.log) + 1, stream, version, event.type, at, None, event)
        self.log.append(entry)
        return entry

    def _heard(self, act: Callable[[], object]) -> list[str]:
        before = len(self.desk.decided)
        act()
        fresh = [event for _, _, event in self.desk.decided[before:]]
        return [brief(event) for event in fresh if not self._is_left_out(event)]

    def _is_left_out(self, event: events.AnyEvent) -> bool:
        """Tell whether the test is not about it: the manager is told once more."""
        if self.with_exhaustions:
            return False
        if isinstance(event, events.NotificationRequested):
            return (event.cause_stream, event.cause_version) in self._exhaustions()
        return isinstance(event, events.EscalationExhausted)

    def _exhaustions(self) -> set[tuple[str, int]]:
        return {
            (stream, version)
            for stream, version, event in self.desk.decided
            if isinstance(event, events.EscalationExhausted)
        }


def brief(  # noqa: C901, PLR0911, PLR0912 one return an event
    event: events.AnyEvent,
) -> str:
    """Return a decision as the tests write it."""
    match event:
        case events.Escalated():
            to = f"{event.from_level}→{event.to_level} {event.team}"
            return f"{shown(event.escalated_at)} {to} {event.cause}"
        case events.EscalationReturned():
            to = f"{event.from_level}→{event.to_level} {event.team}"
            return f"{shown(event.returned_at)} {to} returned"
        case events.EscalationPaged():
            return f"{shown(event.due_at)} page {'+'.join(event.people)}"
        case events.EscalationAccepted():
            return f"accepted by {event.person}"
        case events.EscalationUnanswered():
            return f"{shown(event.unanswered_at)} unanswered"
        case events.EscalationRaised():
            return f"{shown(event.raised_at)} {event.on} to {'+'.join(event.people)}"
        case events.HandoverRequested():
            return f"handover to {event.problem or event.team}"
        case events.ProblemSuggested():
            return f"suggested to {event.team}: {'+'.join(event.incidents)}"
        case events.ServiceHandoverRequested():
            return f"service {event.service} to {event.problem or event.team}"
        case events.NotificationRequested(method=str(method)):
            return f"{event.kind} → {event.person} by {method}"
        case events.NotificationRequested():
            return f"{event.kind} → {event.person or event.channel}"
        case events.NotificationPlanned():
            ways = "+".join(each.method for each in event.requests)
            return f"{event.rules} plan of {event.person}: {ways}"
        case _:
            return event.type


def _clock(when: str) -> dict[str, Any]:
    return {"cycle": 1, "due_at": local(when), "by": "system:sla_watcher"}


def _stream(event: events.AnyEvent) -> str:
    if event.type.startswith("problem."):
        return problem_stream(getattr(event, "problem"))  # noqa: B009 some events have it
    if event.type.startswith("change."):
        return change_stream(getattr(event, "change"))  # noqa: B009 likewise
    if event.type.startswith("sla."):
        return sla_stream(INCIDENT)
    return incident_stream(INCIDENT)
