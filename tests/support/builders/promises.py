"""A watcher without servers: what happened goes in, what becomes of promises comes out.

Instants are local times of Monday 30 June 2025 in Paris, or of another day: `27 14:30`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from services.intake.policy.expansion import expanded
from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.commands import decide_command
from services.sla_watcher.decider import decide, evolve, next_at, react
from shared.domain import events
from shared.domain.commands.sla import AcceptExtension, ProposeExtension, SlaCommand
from shared.domain.identifiers import (
    escalation_stream,
    incident_stream,
    sla_stream,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.public_holidays import expand
from shared.domain.policy.validation import read
from shared.domain.sla import Clock
from shared.eventlog.entry import Entry
from shared.eventlog.readers.position import Bookmark
from shared.messaging.commands import CommandRequest, Scope
from shared.process_manager.process import Desk, ProcessManager

PARIS = ZoneInfo("Europe/Paris")
FILE = Path(__file__).parents[3] / "deploy" / "valmont.yaml"
INCIDENT = "INC-000016"


def valmont(*changes: tuple[str, str]) -> Policy:
    """Return the policy of the desk of Valmont with some of its words replaced."""
    text = FILE.read_text(encoding="utf-8")
    for before, after in changes:
        assert text.count(before) == 1, f"{before!r}: {text.count(before)} times"
        text = text.replace(before, after)
    policy = read(text)
    assert isinstance(policy, Policy), [str(each) for each in policy]
    return expand(policy, datetime(2025, 6, 2, tzinfo=UTC).date())


VALMONT = valmont()


def applied(policy: Policy) -> Policy:
    """Return a policy as it is applied today, with what is the default."""
    whole = expanded(policy, datetime(2025, 6, 2, tzinfo=UTC).date())
    assert isinstance(whole, Policy)
    return whole


def local(when: str) -> datetime:
    """Return an instant in UTC: `09:10`, `27 14:30` or `07-03 10:30`."""
    day, _, hour = when.rpartition(" ")
    month, _, day = (day or "06-30").rpartition("-")
    written = f"2025-{month or '06'}-{day}T{hour}"
    return datetime.fromisoformat(written).replace(tzinfo=PARIS).astimezone(UTC)


def shown(at: datetime | None) -> str | None:
    """Return an instant as the tests write it."""
    if at is None:
        return None
    there = at.astimezone(PARIS)
    seconds = ":%S" if there.second else ""
    day = "" if there.date().isoformat() == "2025-06-30" else "%m-%d "
    return there.strftime(f"{day}%H:%M{seconds}")


def watching(
    policy: Policy = VALMONT, policy_of: PolicyOf | None = None
) -> ProcessManager[Case, PolicyOf]:
    """Return the watcher's rules under one policy, or several by version."""
    known = policy_of or (lambda _: policy)
    return ProcessManager(
        bookmark=Bookmark("sla", "sla_watcher"),
        react=react,
        evolve=evolve,
        decide=decide,
        next_at=next_at,
        stream_of=lambda incident, _: sla_stream(incident),
        follows=lambda incident: [
            incident_stream(incident),
            escalation_stream(incident),
        ],
        owns=lambda incident: [sla_stream(incident)],
        known=lambda _cursor, _incidents: known,
        adapter=TypeAdapter(Case),
    )


@dataclass
class Watch:
    """One incident and the watcher at work on it."""

    policy: Policy = VALMONT
    policies: Mapping[int, Policy] | None = None
    """By version; where it is given, `policy` is not looked at."""
    mails: Literal["arrive", "fail", "wait"] = "arrive"
    """What becomes of messages to users, at once; those that wait, as the test says."""
    said: list[events.SlaEvent] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    """What happened to the incident, and its messages."""
    _desk: Desk[Case, PolicyOf] | None = None
    _versions: dict[str, int] = field(default_factory=dict)

    @property
    def desk(self) -> Desk[Case, PolicyOf]:
        """The case on the table."""
        if self._desk is None:
            work = watching(policy_of=self._policy_of)
            self._desk = Desk(INCIDENT, work, self._policy_of, None, {})
        return self._desk

    def _policy_of(self, version: int) -> Policy:
        return self.policies[version] if self.policies else self.policy

    def opened(self, when: str, **words: Any) -> list[str]:
        """Open the incident: a user's, on payroll, P2, unless said otherwise."""
        at = local(when)
        given: dict[str, Any] = {
            "origin": "user",
            "title": "Totaux faux",
            "service": "paie",
            "impact": "high",
            "urgency": "medium",
            "priority": "p2",
            "team": "desk",
            "reporter": "roche",
            "reported_at": at,
            "at": at,
            "by": "person:roche",
        }
        return self.happens(when, events.IncidentOpened, **(given | words))

    def happens(self, when: str, kind: type[Any], **words: Any) -> list[str]:
        """Let an event enter the log; return what the watcher says to it, in short.

        Its users are sent the message that it causes, and the message arrives at once.
        """
        at = local(when)
        common = {"incident": INCIDENT, "policy": 1, "at": at, "by": "person:nadia"}
        event: events.AnyEvent = kind(**(common | words))
        said = self._take(event, at)
        message = MESSAGES.get(event.type)
        if message == "question" and getattr(event, "reason", None) != "user":
            return said
        return said + (self._mailed(when, message) if message else [])

    def delivered(self, when: str, key: str) -> list[str]:
        """Let a message arrive that waits."""
        return self._ends(when, events.NotificationConfirmed, key, receipt="250 ok")

    def failed(self, when: str, key: str) -> list[str]:
        """Let a message that waits fail for good."""
        return self._ends(when, events.NotificationFailed, key, reason="no address")

    def requested(
        self,
        when: str,
        kind: events.Kind,
        person: str = "roche",
        cause: int | None = None,
    ) -> str:
        """Let a message to a user be requested, about the newest event; return its key.

        Or about an earlier one, by its version.
        """
        key = f"{kind} {1 + len(self.log)}"
        cause = cause or self._versions[incident_stream(INCIDENT)]
        at = local(when)
        self._take(_request(key, kind, person, cause, at), at)
        return key

    def _mailed(self, when: str, kind: events.Kind) -> list[str]:
        case = self.desk.case
        if self.mails == "wait" or case is None or not case.reporters:
            return []
        key = self.requested(when, kind, case.reporters[0])
        return (self.delivered if self.mails == "arrive" else self.failed)(when, key)

    def _ends(self, when: str, kind: type[Any], key: str, **words: Any) -> list[str]:
        at, by = local(when), "system:escalation"
        given = {"incident": INCIDENT, "at": at, "by": by, "key": key, "attempts": 1}
        return self._take(kind(**given, **words), at)

    def _take(self, event: events.AnyEvent, at: datetime) -> list[str]:
        is_incident = events.is_incident_event(event)
        stream = (incident_stream if is_incident else escalation_stream)(INCIDENT)
        version = self._versions.get(stream, 0) + 1
        self._versions[stream] = version
        number = 1 + len(self.log)
        entry = Entry(number, stream, version, event.type, at, None, event)
        self.log.append(entry)
        return self._heard(lambda: self.desk.take(entry, at))

    def passes(self, until: str) -> list[str]:
        """Let time pass and the watcher wake whenever something is due."""
        said: list[str] = []
        end = local(until)
        while (due := self.desk.next_at()) is not None and due <= end:
            said += self._heard(lambda due=due: self.desk.reach(due, due))
        return said

    def asks(
        self,
        when: str,
        wish: SlaCommand,
        who: str = "paul",
        record: str | None = None,
        scopes: tuple[Scope, ...] = ("agent",),
    ) -> list[str]:
        """Let somebody ask something; return what follows. Raises `Refused`."""
        at = local(when)
        request = CommandRequest[SlaCommand](
            incident=INCIDENT,
            record=record,
            actor=who if ":" in who else f"person:{who}",
            scopes=scopes,
            body=wish,
        )

        def take() -> None:
            self.desk.reach(at, at)
            assert self.desk.case is not None
            for event in decide_command(request, self.desk.case, at, self.desk.known):
                self.desk.record(event)
            self.desk.reach(at, at)

        return self._heard(take)

    def proposes(self, when: str, until: str, answer_by: str | None = None) -> str:
        """Let Paul ask for more time; return its reference."""
        wish = ProposeExtension(
            new_due_at=local(until),
            reason="La pièce manque.",
            answer_by=local(answer_by) if answer_by else None,
        )
        self.asks(when, wish)
        self._mailed(when, "extension")
        (asked_for,) = [each.asked for each in self.clocks("ttr") if each.asked]
        return asked_for.ref

    def accepts(
        self, when: str, ref: str, by: str = "roche", who: str = "paul"
    ) -> list[str]:
        """Let Paul take down that somebody agreed on the phone."""
        wish = AcceptExtension(accepted_by=by, channel="phone", evidence="« Oui. »")
        return self.asks(when, wish, who, ref)

    def clocks(self, target: str) -> list[Clock]:
        """Return the clocks of a target."""
        case = self.desk.case
        return [c for c in case.clocks if c.name.target == target] if case else []

    def clock(self, target: str, cycle: int = 1, round_: int = 1) -> Clock:
        """Return one of the clocks."""
        case = self.desk.case
        assert case is not None
        (found,) = [c for c in case.clocks if c.name == (target, cycle, round_)]
        return found

    def _heard(self, act: Any) -> list[str]:
        before = len(self.desk.decided)
        act()
        fresh = [event for _, _, event in self.desk.decided[before:]]
        assert all(map(events.is_sla_event, fresh))
        self.said += fresh  # type: ignore[arg-type] # just looked at
        return [brief(event) for event in fresh]  # type: ignore[arg-type] # likewise


MESSAGES: Mapping[str, events.Kind] = {
    "incident.acknowledged": "taken",
    "incident.paused": "question",
    "incident.informed": "update",
    "incident.restored": "restored",
    "incident.resolved": "resolved",
    "incident.reopened": "reopened",
    "escalation.escalated": "escalated",
    "escalation.returned": "returned",
}
"""What users are sent about an event."""


def _request(
    key: str, kind: events.Kind, person: str, cause: int, at: datetime
) -> events.NotificationRequested:
    return events.NotificationRequested(
        incident=INCIDENT,
        policy=1,
        at=at,
        by="system:escalation",
        key=key,
        kind=kind,
        audience="user",
        channel="mail",
        person=person,
        cause_stream=incident_stream(INCIDENT),
        cause_version=cause,
    )


_INSTANTS = (
    "warned_at",
    "breached_at",
    "met_at",
    "done_at",
    "cancelled_at",
    "paused_at",
    "resumed_at",
    "continued_at",
    "retargeted_at",
    "proposed_at",
    "accepted_at",
    "refused_at",
    "expired_at",
    "due_at",
    "at",
)


def brief(event: events.SlaEvent) -> str:
    """Return an event in short: `ttr breached 16:10`, `tto armed 09:40`."""
    happened = event.type.removeprefix("sla.")
    instant = next(getattr(event, name) for name in _INSTANTS if hasattr(event, name))
    point = f" {_point(event)}" if isinstance(event, events.SlaWarned) else ""
    return f"{event.target} {happened}{point} {shown(instant)}"


def _point(event: events.SlaWarned) -> str:
    if event.percent is not None:
        return f"{event.percent} %"
    minutes = ((event.after_seconds or 0) - (event.before_seconds or 0)) // 60
    return f"{minutes:+} min"
