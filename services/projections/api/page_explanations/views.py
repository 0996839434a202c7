"""Reads from the log why a person was paged for an incident, or was not."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import NamedTuple

from services.projections.api.callers import person_of, sight_of
from services.projections.api.desk import Desk
from services.projections.api.on_call.recorded import HistorySight
from services.projections.api.on_call.shifts import change_of
from services.projections.api.page_explanations.schemas import (
    DutyView,
    PageMessageView,
    PagesExplained,
    PageStepView,
    Question,
    Questions,
)
from services.projections.api.position import history, known
from services.projections.generations import AsOf
from services.projections.history.paging import StepResult, steps_about
from services.projections.history.paging_account import (
    Duty,
    Reader,
    of_duties,
    sentences,
)
from services.projections.log_queries import policy_at
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.events.escalation import EscalationPaged
from shared.domain.events.on_call_history import OnCallExplained
from shared.domain.identifiers import explanations_stream
from shared.domain.on_call import shifts
from shared.domain.policy.clause import Person
from shared.domain.policy.document import Policy, people_named
from shared.domain.policy.schedules import Role
from shared.eventlog.entry import Entry
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.on_call_changes import roster_of
from shared.on_call_history import people_at
from shared.security.access import Caller

SCHEDULES_MAX = 50
"""The maximum number of schedules that one answer looks at."""
QUESTIONS_MAX = 200
"""The maximum number of questions about a person in one answer."""
_MOMENT = timedelta(microseconds=1)


class Wanted(NamedTuple):
    """What is explained, to whom."""

    ref: str
    person: str
    at: datetime | None
    min_position: int
    language: Language
    everything: bool


class _Facts(NamedTuple):
    """What the log says: the events, the policy, and who was on call."""

    past: Sequence[Entry]
    policy: Policy | None
    upto: AsOf


def explained(desk: Desk, wanted: Wanted, caller: Caller) -> PagesExplained:
    """Return the explanation; `HttpError` 404 for an incident out of sight."""
    with snapshot(desk.log) as cursor:
        facts = _facts(desk, cursor, wanted, caller)
        at = wanted.at or desk.clock()
        steps = steps_about(facts.past, wanted.person, desk.policies)
        duties = [
            duty
            for name in _schedules(facts, steps)
            for duty in _duties(cursor, facts, name, wanted.person, at)
        ]
        if not (duties or any(step.is_paged for step in steps)):
            _require_named(facts.policy, wanted.person, caller)
        views = [
            _step_view(cursor, facts, step, wanted.person, caller)
            for step in (steps if wanted.everything else ())
        ]
    zone = facts.policy.desk.timezone if facts.policy else "UTC"

    def sees_others(page: EscalationPaged) -> bool:
        return _others(facts, page, wanted.person, caller) is not None

    reader = Reader(wanted.language, zone, sees_others)
    if wanted.everything:
        text = sentences(wanted.person, at, duties, steps, reader)
    else:
        text = [*of_duties(wanted.person, at, duties, reader)]
    return PagesExplained(
        incident=wanted.ref,
        person=wanted.person,
        at=at,
        everything=wanted.everything,
        on_call=[DutyView(**asdict(each)) for each in duties],
        steps=views,
        text=text,
        as_of=facts.upto,
    )


def _require_named(policy: Policy | None, person: str, caller: Caller) -> None:
    """Refuse somebody else whom the policy does not name: perhaps the id is mistyped.

    Whether the directory has them is not said: it may be out of the caller's sight.
    """
    named = people_named(policy) if policy else {}
    if person not in named and person != person_of(caller):
        raise HttpError(
            404,
            f"the policy names no {person}, so nothing pages them: check the id",
            code="unknown_person",
        )


def _facts(desk: Desk, cursor: Cursors, wanted: Wanted, caller: Caller) -> _Facts:
    upto = known(cursor, wanted.at, wanted.min_position)
    past = history(desk.log, cursor, wanted.ref, upto, sight_of(caller))
    found = policy_at(desk.log, cursor, upto.position)
    return _Facts(past.entries, found[1] if found else None, upto)


def _schedules(facts: _Facts, steps: Sequence[StepResult]) -> Sequence[str]:
    """Return the schedules that page for the incident: of its pages and its teams."""
    teams = facts.policy.teams if facts.policy else {}
    named = [each.page.schedule for each in steps if each.page]
    own = [teams[each.team].schedule for each in steps if each.team in teams]
    return sorted({name for name in (*named, *own) if name})[:SCHEDULES_MAX]


def _duties(
    cursor: Cursors, facts: _Facts, schedule: str, person: str, at: datetime
) -> Iterator[Duty]:
    for role, period in sorted(people_at(cursor, schedule, at).items()):
        if person in period.people:
            change = _change(cursor, facts, schedule, role, person, at)
            yield Duty(schedule, role, period.begins, change)


def _change(  # what names one place on call
    cursor: Cursors, facts: _Facts, schedule: str, role: Role, person: str, at: datetime
) -> str | None:
    """Return the change that put a person on call, None for a turn."""
    if facts.policy is None or schedule not in facts.policy.schedules:
        return None
    upto = facts.upto.position
    roster = roster_of(cursor, schedule, facts.policy, since=at, upto=upto)
    shift = next(shifts(roster, at, at + _MOMENT, role), None)
    placed = dict(shift.placed) if shift else {}
    origin = placed.get(person)
    return change_of(origin[0], origin[1], roster) if origin else None


def _step_view(
    cursor: Cursors, facts: _Facts, step: StepResult, person: str, caller: Caller
) -> PageStepView:
    page = step.page
    return PageStepView(
        level=step.level,
        team=step.team,
        policy=step.policy,
        escalation_policy=step.escalation_policy,
        step=step.step,
        attempt=page.loop if page else None,
        who=page.who if page else None,
        schedule=page.schedule if page else None,
        team_channel=page.team_channel if page else None,
        role=(page.role or "primary") if page and page.schedule else None,
        paged=step.is_paged,
        reason=step.reason,
        at=step.at,
        on_call=_duty_of_page(cursor, facts, page, person) if page else None,
        others=_others(facts, page, person, caller) if page else None,
        unverified=step.is_unverified,
        quiet=page.quiet if page else False,
        held_until=step.held_until,
        messages=[PageMessageView(**asdict(each)) for each in step.messages],
    )


def _duty_of_page(
    cursor: Cursors, facts: _Facts, page: EscalationPaged, person: str
) -> DutyView | None:
    if page.schedule is None:
        return None
    role = page.role or "primary"
    found = _duties(cursor, facts, page.schedule, person, page.due_at)
    return next((DutyView(**asdict(each)) for each in found if each.role == role), None)


def _others(
    facts: _Facts, page: EscalationPaged, person: str, caller: Caller
) -> list[Person] | None:
    """Return who else was paged, to those who may know who was on call."""
    if facts.policy is None:
        return None
    if not HistorySight.of(caller, facts.policy, page.schedule or "").everybody:
        return None
    return [each for each in page.people if each != person]


def questions(desk: Desk, person: str, min_position: int) -> Questions:
    """Return who asked about the pages of a person, the newest first."""
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, min_position)
        entries = desk.log.histories(cursor, [explanations_stream(person)])
    found = [each.event for each in entries if isinstance(each.event, OnCallExplained)]
    return Questions(
        person=person,
        items=[
            Question(
                incident=each.incident,
                at=each.at,
                by=each.by.partition(":")[2],
                reason=each.reason,
            )
            for each in reversed(found[-QUESTIONS_MAX:])
        ],
        as_of=upto,
    )
