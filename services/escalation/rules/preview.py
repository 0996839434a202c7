"""Who would be told when, by what, if an incident came at an instant. Pure.

The rules themselves decide: they run forward over an incident that exists only here, as
if nobody did anything. What managers are told of promises is not part of it, since that
follows from the clocks of the SLA watcher.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.escalation.rules.case import Case
from services.escalation.rules.context import BY, EscalationContext
from services.escalation.rules.decider import decide, next_at, react
from services.escalation.rules.evolve import evolve
from services.escalation.rules.page_targets import escalation_policy_of, plan_of
from shared.domain import events
from shared.domain.commands.escalation_preview import (
    EscalationPreview,
    PreviewEscalation,
    PreviewEvent,
    Sent,
    StepLeftOut,
    Why,
)
from shared.domain.identifiers import escalation_stream, incident_ref, incident_stream
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry
from shared.process_manager.progress import Progress

AHEAD = timedelta(days=14)
"""How far ahead the rules run; an escalation is at its end long before."""
_INCIDENT = incident_ref(1)
_Shown = (
    events.Escalated
    | events.EscalationPaged
    | events.EscalationUnanswered
    | events.EscalationExhausted
)
_Decided = list[tuple[int, events.AnyEvent]]
"""Events of the stream of the escalation, with their versions in it."""


def preview(
    question: PreviewEscalation,
    at: datetime,
    version: int,
    policy: Policy,
    known: EscalationContext,
) -> EscalationPreview:
    """Return what the policy does about an incident that is opened at `at`.

    Service, priority and team are in the policy. It ends when the manager is told for
    the first time that nobody accepted it.
    """
    case = _opened(question, at, version, policy)
    decided, last = _run(case, at + AHEAD, known)
    return EscalationPreview(
        at=at,
        policy=version,
        items=tuple(_items(decided)),
        left_out=tuple(_left_out(decided, question, policy, last)),
    )


def _opened(
    question: PreviewEscalation, at: datetime, version: int, policy: Policy
) -> Case | None:
    common = {"incident": _INCIDENT, "policy": version, "at": at, "by": BY}
    opened = events.IncidentOpened.model_validate(
        common
        | {
            "origin": "monitoring",
            "title": question.service,
            "service": question.service,
            "impact": "high",
            "urgency": "high",
            "priority": question.priority,
            "team": policy.team_of_first_contact,
            "reported_at": at,
        }
    )
    case = react(None, _entry(1, opened, at))
    if question.team is None:
        return case
    given = events.IncidentAssigned.model_validate(common | {"team": question.team})
    return react(case, _entry(2, given, at))


def _entry(number: int, event: events.AnyEvent, at: datetime) -> Entry:
    stream = incident_stream(_INCIDENT)
    return Entry(number, stream, number, event.type, at, None, event)


def _run(
    case: Case | None, until: datetime, known: EscalationContext
) -> tuple[_Decided, Case | None]:
    """Return all that is decided until the escalation is exhausted, and the case."""
    decided: _Decided = []
    progress = Progress(lambda: next_at(case, known) if case else None)
    while case is not None and progress.goes_on():
        if _is_over(decided) and not case.to_tell:
            break
        due = next_at(case, known)
        if due is None or due > until:
            break
        for event in decide(case, due, due, known):
            case = evolve(case, event)
            decided.append((case.escalations, event))
    return decided, case


def _is_over(decided: _Decided) -> bool:
    return any(isinstance(event, events.EscalationExhausted) for _, event in decided)


def _items(decided: _Decided) -> Iterator[PreviewEvent]:
    sent: dict[int, list[Sent]] = {}
    for _, event in decided:
        match event:
            case events.NotificationRequested(cause_stream=stream) if (
                stream == escalation_stream(_INCIDENT)
            ):
                way = Sent(
                    person=event.person,
                    channel=event.channel,
                    team_channel=event.team_channel,
                )
                sent.setdefault(event.cause_version, []).append(way)
            case _:
                pass
    team = None
    for version, event in decided:
        if isinstance(event, events.Escalated):
            team = event.team
        if isinstance(event, _Shown):
            yield _item(event, team, tuple(sent.get(version, ())))


def _item(event: _Shown, team: str | None, sent: tuple[Sent, ...]) -> PreviewEvent:
    match event:
        case events.Escalated():
            return PreviewEvent(
                at=event.escalated_at,
                kind="escalated",
                level=event.to_level,
                team=event.team,
                cause=event.cause,
            )
        case events.EscalationPaged():
            fields = event.model_dump(include=set(PreviewEvent.model_fields))
            asked = {"asks_for_team": event.team, "team": team, "at": event.due_at}
            more = asked | {"kind": "paged", "sent": sent, "step": event.step + 1}
            return PreviewEvent.model_validate(fields | more)
        case events.EscalationUnanswered():
            return PreviewEvent(
                at=event.unanswered_at, kind="unanswered", level=event.level, team=team
            )
        case events.EscalationExhausted():
            return PreviewEvent(
                at=event.exhausted_at,
                kind="exhausted",
                level=event.level,
                team=event.team,
                people=event.people,
                quiet=event.quiet,
                sent=sent,
            )


def _left_out(
    decided: _Decided, question: PreviewEscalation, policy: Policy, last: Case | None
) -> Iterator[StepLeftOut]:
    """Yield the steps of the levels it came to that paged nobody, and why."""
    moves = [event for _, event in decided if isinstance(event, events.Escalated)]
    paged = {
        (event.level, event.step)
        for _, event in decided
        if isinstance(event, events.EscalationPaged)
    }
    for move in moves:
        about = (question.service, question.priority)
        named = escalation_policy_of(policy, move.team, *about)
        is_last = last is not None and last.post.level == move.to_level
        over = not is_last or _is_over(decided)
        for n, step in enumerate(plan_of(policy, named, move.to_level).steps):
            if (move.to_level, n) in paged:
                continue
            if not step.is_for(question.priority):
                why: Why = "priority"
            else:
                why = "nobody" if over else "later"
            yield StepLeftOut(level=move.to_level, team=move.team, step=n + 1, why=why)
