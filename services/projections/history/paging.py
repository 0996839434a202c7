"""Why a person was paged for an incident, or was not: step by step, from its events.

Pure: a past answer depends on the events up to then and on the policy that applied to
the incident, so it is the same whenever somebody asks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never, get_args

from services.projections.history.history import Notice, notices
from services.projections.history.page_messages import (
    PageMessage,
    messages_of,
    plan_of,
)
from shared.domain import events
from shared.domain.events.escalation import EscalationPaged, EscalationUnreachable
from shared.domain.incident import AT_WORK, Incident, evolve
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import Step
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.eventlog.entry import Entry

PagedAs = Literal[
    "on_call", "next", "previous", "member", "manager", "person", "substitute"
]
NotPaged = Literal[
    "not_on_call",
    "not_member",
    "not_manager",
    "not_named",
    "out_of_hours",
    "declined",
    "had_accepted",
    "not_their_turn",
    "other_target",
    "channel",
    "priority",
    "superseded",
    "accepted",
    "acknowledged",
    "over",
    "moved",
    "not_due",
]
Policies = Callable[[int], Policy]
"""Returns the policy of a version; raises LookupError if the log has none."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step of the policy: whether it paged the person, and why or why not."""

    level: SupportLevel
    team: str
    policy: int
    escalation_policy: str | None
    """The policy of the team; None for the shared steps."""
    step: int
    """From 1."""
    reason: PagedAs | NotPaged
    at: datetime | None = None
    """When it was due, or when it became unnecessary; None if it never was either."""
    page: EscalationPaged | None = None
    """The page; None if the step paged nobody at all."""
    position: int | None = None
    """Of the page in the log."""
    messages: tuple[PageMessage, ...] = ()
    held_until: datetime | None = None
    """The end of the quiet hours that held its messages back."""
    is_unverified: bool = False
    """Whether the person had no verified contact method."""

    @property
    def is_paged(self) -> bool:
        """Whether this step paged the person."""
        return self.page is not None and self.reason in _PAGED


_PAGED = get_args(PagedAs)


@dataclass(frozen=True, slots=True)
class _Stay:
    """An incident at one level, from when it came there until it left."""

    level: SupportLevel
    team: str
    policy: int
    service: str
    priority: Priority
    since: datetime
    pages: tuple[Entry, ...] = ()
    accepted_at: datetime | None = None
    complete_at: datetime | None = None
    """When as many people as are wanted had accepted it."""
    acknowledged_at: datetime | None = None
    over_at: datetime | None = None
    """When it left the level, or was restored or ended there."""
    moved: bool = False
    """Whether somebody declined, or asked for another person."""
    earlier: tuple[tuple[Priority, datetime], ...] = ()
    """The priorities that it had there before, each with its end."""
    lapsed_at: datetime | None = None
    """When somebody's taking it on lapsed last at this level."""


def steps_about(
    past: Sequence[Entry], person: str, policies: Policies
) -> tuple[StepResult, ...]:
    """Return what each step of each level did about a person, in order.

    `past` are the events of the incident and its escalation, in the order of the log.
    """
    held = {each.key: each for each in notices(past)}
    return tuple(
        result
        for stay in _stays(past)
        for result in _of_stay(stay, past, held, person, policies)
    )


def _stays(past: Sequence[Entry]) -> Sequence[_Stay]:
    """Return the stays at the levels at which people are paged."""
    found: list[_Stay] = []
    incident: Incident | None = None
    for entry in past:
        event = entry.event
        if events.is_incident_event(event):
            incident = evolve(incident, event)
            if found:
                found[-1] = _with_incident(found[-1], incident, event.at)
        elif incident is None:
            continue
        else:
            found = _after_escalation(found, entry, incident)
    return [stay for stay in found if stay.level != "n1"]


def _after_escalation(
    found: list[_Stay], entry: Entry, incident: Incident
) -> list[_Stay]:
    """Return the stays after an event of the escalation."""
    match entry.event:
        case events.Escalated(escalated_at=at) as up:
            return [*_left(found, at), _entered(up, incident)]
        case events.EscalationReturned(returned_at=at) as back:
            return [*_left(found, at), _entered(back, incident)]
        case events.EscalationAcknowledgementLapsed(lapsed_at=at) if found:
            return [*_left(found, at), _begun_again(found[-1], at)]
        case _ if found:
            return [*found[:-1], _with_escalation(found[-1], entry)]
        case _:
            return found


def _left(found: Sequence[_Stay], at: datetime) -> list[_Stay]:
    if not found:
        return []
    last = found[-1]
    return [*found[:-1], replace(last, over_at=last.over_at or at)]


def _entered(
    event: events.Escalated | events.EscalationReturned, incident: Incident
) -> _Stay:
    match event:
        case events.Escalated(escalated_at=at):
            pass
        case events.EscalationReturned(returned_at=at):
            pass
        case _:
            assert_never(event)
    return _Stay(
        level=event.to_level,
        team=event.team,
        policy=event.policy,
        service=incident.service,
        priority=incident.priority,
        since=at,
        acknowledged_at=incident.acknowledged_at,
    )


def _begun_again(stay: _Stay, at: datetime) -> _Stay:
    """Return the stay at the level after an acknowledgement lapsed."""
    about = (stay.level, stay.team, stay.policy, stay.service, stay.priority)
    return _Stay(*about, since=at, lapsed_at=at)


def _with_incident(stay: _Stay, incident: Incident, at: datetime) -> _Stay:
    is_open = incident.status in AT_WORK and incident.restored_at is None
    changed = incident.priority != stay.priority
    acknowledged_at = stay.acknowledged_at or incident.acknowledged_at
    if stay.lapsed_at and acknowledged_at and acknowledged_at < stay.lapsed_at:
        acknowledged_at = None
    return replace(
        stay,
        earlier=(*stay.earlier, (stay.priority, at)) if changed else stay.earlier,
        service=incident.service,
        priority=incident.priority,
        acknowledged_at=acknowledged_at,
        over_at=None if is_open else stay.over_at or at,
    )


def _with_escalation(stay: _Stay, entry: Entry) -> _Stay:
    match entry.event:
        case EscalationPaged(policy=policy):
            return replace(stay, policy=policy, pages=(*stay.pages, entry))
        case events.EscalationAccepted(at=at, still_wanted=still_wanted):
            complete_at = stay.complete_at if still_wanted else stay.complete_at or at
            first_at = stay.accepted_at or at
            return replace(stay, accepted_at=first_at, complete_at=complete_at)
        case events.EscalationDeclined() | events.EscalationAnotherRequested():
            return replace(stay, moved=True)
        case _:
            return stay


def _of_stay(
    stay: _Stay,
    past: Sequence[Entry],
    held: Mapping[str, Notice],
    person: str,
    policies: Policies,
) -> Iterator[StepResult]:
    made: set[int] = set()
    named = _policy_name(stay, policies)
    for entry in stay.pages:
        assert isinstance(entry.event, EscalationPaged)  # noqa: S101 # as collected
        page = entry.event
        if page.escalation_policy == named:
            made.add(page.step)
        yield _of_page(entry, page, stay, past, held, person)
    try:
        steps = policies(stay.policy).escalation.steps_of(named, stay.level)
    except LookupError:
        return
    for number, step in enumerate(steps):
        if number not in made:
            due = stay.since + step.after
            if stay.moved and made:
                due = _paged_at(stay, max(made)) + step.after - steps[max(made)].after
            is_overtaken = any(number < each for each in made)
            reason, at = _not_made(stay, step, due, is_overtaken=is_overtaken)
            yield StepResult(
                level=stay.level,
                team=stay.team,
                policy=stay.policy,
                escalation_policy=named,
                step=number + 1,
                reason=reason,
                at=at,
            )


def _policy_name(stay: _Stay, policies: Policies) -> str | None:
    try:
        own = policies(stay.policy).teams.get(stay.team)
    except LookupError:
        return None
    return own.escalation_for(stay.service, stay.priority) if own else None


def _paged_at(stay: _Stay, step: int) -> datetime:
    """Return when a step that paged was due for the first time."""
    pages = (each.event for each in stay.pages)
    return min(
        each.due_at
        for each in pages
        if isinstance(each, EscalationPaged) and each.step == step
    )


def _not_made(
    stay: _Stay, step: Step, due: datetime, *, is_overtaken: bool
) -> tuple[NotPaged, datetime | None]:
    """Return why a step paged nobody, and since when that was so.

    It is overtaken if a later step has paged. Otherwise it is still to come, although
    somebody declined.
    """
    if not step.is_for(stay.priority):
        ends = [at for priority, at in stay.earlier if step.is_for(priority)]
        return ("superseded", ends[-1]) if ends else ("priority", None)
    wants_several = step.acknowledgements > 1
    accepted_at = stay.complete_at if wants_several else stay.accepted_at
    if (wants_several or step.unless == "accepted") and accepted_at is not None:
        return "accepted", accepted_at
    if step.unless == "acknowledged" and stay.acknowledged_at is not None:
        return "acknowledged", stay.acknowledged_at
    if stay.over_at is not None:
        return "over", stay.over_at
    if stay.moved and is_overtaken:
        return "moved", None
    return ("out_of_hours" if step.hours is not None else "not_due"), due


def _of_page(
    entry: Entry,
    page: EscalationPaged,
    stay: _Stay,
    past: Sequence[Entry],
    held: Mapping[str, Notice],
    person: str,
) -> StepResult:
    known = [
        each
        for each in past
        if each.position <= entry.position and each.event.at >= stay.since
    ]
    result = StepResult(
        level=page.level,
        team=stay.team,
        policy=page.policy,
        escalation_policy=page.escalation_policy,
        step=page.step + 1,
        reason=_reason(page, stay, known, person),
        at=page.due_at,
        page=page,
        position=entry.position,
    )
    if person not in page.people:
        return result
    ended = stay.complete_at or stay.over_at
    planned = plan_of(entry, past, person)
    return replace(
        result,
        messages=tuple(messages_of(entry, past, held, person, planned, ended)),
        held_until=planned.held_until if planned else None,
        is_unverified=any(
            isinstance(each.event, EscalationUnreachable)
            and (each.event.key, each.event.person) == (page.key, person)
            for each in past
        ),
    )


def _reason(
    page: EscalationPaged, stay: _Stay, known: Sequence[Entry], person: str
) -> PagedAs | NotPaged:
    if person in page.people:
        return "substitute" if page.nobody_on_call else _PAGED_AS[page.who]
    if page.who == "channel":
        return "channel"
    answers = (_answer_before(each, page, person) for each in known)
    for reason in (_left_out(page, person), *answers):
        if reason is not None:
            return reason
    attempt = (page.step, page.loop)
    if any(_paged_too(each, attempt, person) for each in stay.pages):
        return "other_target"
    return _LEFT_OUT[page.who]


_PAGED_AS: Mapping[str, PagedAs] = {
    "on_call": "on_call",
    "next": "next",
    "previous": "previous",
    "members": "member",
    "manager": "manager",
    "person": "person",
}
_LEFT_OUT: Mapping[str, NotPaged] = {
    "on_call": "not_on_call",
    "next": "not_on_call",
    "previous": "not_on_call",
    "members": "not_member",
    "manager": "not_manager",
    "person": "not_named",
}


def _left_out(
    page: EscalationPaged, person: str
) -> Literal["out_of_hours", "not_their_turn"] | None:
    """Return why the page names a person as left out."""
    if person in (page.out_of_hours or ()):
        return "out_of_hours"
    return "not_their_turn" if person in (page.not_their_turn or ()) else None


def _answer_before(
    entry: Entry, page: EscalationPaged, person: str
) -> Literal["declined", "had_accepted"] | None:
    """Return for which answer of theirs a page left a person out."""
    match entry.event:
        case events.EscalationDeclined(person=who, level=level, cycle=cycle):
            is_left_out = (who, level, cycle) == (person, page.level, page.cycle)
            return "declined" if is_left_out else None
        case events.EscalationAccepted(person=who) if page.acknowledgements:
            return "had_accepted" if who == person else None
        case _:
            return None


def _paged_too(entry: Entry, attempt: tuple[int, int], person: str) -> bool:
    match entry.event:
        case EscalationPaged(step=step, loop=loop, people=people):
            return (step, loop) == attempt and person in people
        case _:
            return False
