"""Decides when it lapses that somebody took an incident on: others are paged. Pure.

An acknowledgement above n1 lapses after `acknowledged_for` without an update, and an
acceptance after `accepted_for`. Who took it on is reminded when three quarters of that
time have passed. Where somebody acknowledged who does not accept it, such as the desk,
that lapses only if steps wait for it: the others page all the same. An acknowledgement
does not lapse once somebody else assigned the incident; nothing does while it is paused
or the service is back. TTO stays met: SLA clocks do not depend on it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from services.escalation.rules.case import Acknowledgement, Case, LevelSearch
from services.escalation.rules.contact_rules import without_pages
from services.escalation.rules.context import Due, EscalationContext, on
from services.escalation.rules.paging import wait_for_acknowledgement
from shared.domain import events
from shared.domain.sla import whole

_PERSON = "person:"
_UPDATES = (
    events.IncidentClassified,
    events.IncidentEdited,
    events.IncidentInformed,
    events.IncidentNoteAdded,
    events.IncidentNoted,
    events.IncidentPaused,
    events.IncidentRelapsed,
    events.IncidentRestored,
    events.IncidentResumed,
    events.IncidentUnmerged,
)
"""Events that show that somebody works on it, or after which the time begins again."""


def with_update(before: Case, case: Case, event: events.AnyEvent) -> Case:
    """Return the case after an event of the incident, which `case` includes."""
    at, held = case.changed_at, case.acknowledgement
    match event:
        case events.IncidentAcknowledged(by=by) if case.post.accepted_by is None:
            person = by.removeprefix(_PERSON)
            return replace(case, acknowledgement=Acknowledgement(person, at))
        case events.IncidentAssigned(by=by, team=team, assignee=assignee) if held:
            # Who acknowledges is the assignee from then on; that is not acceptance.
            own = (f"{_PERSON}{held.person}", before.post.team, held.person)
            if (by, team, assignee) == own:
                return case
            passed = _passed(case, assignee or held.person)
            return replace(case, acknowledgement=passed)
        case events.IncidentReopened():
            return replace(case, acknowledgement=None)
        case _ if held and isinstance(event, _UPDATES):
            renewed = held._replace(updated_at=at, is_reminded=False)
            return replace(case, acknowledgement=renewed)
        case _:
            return case


def _passed(case: Case, person: str) -> Acknowledgement | None:
    """Return what is left once somebody else assigned it; another team begins again."""
    if case.post.accepted_by is None:
        return None
    return Acknowledgement(person, case.changed_at, is_acceptance=True)


def acknowledgement_lapses(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the reminder of the person who took it on, then that this lapsed."""
    held = case.acknowledgement
    if held is None or case.pause is not None or case.question is not None:
        return
    if (limit := _limit(case, held, known)) is None:
        return
    if not case.searches or case.post.level == "n1":
        return
    if not (case.post.accepted_by or wait_for_acknowledgement(case, known)):
        return
    lapses_at = held.updated_at + limit
    if held.is_reminded:
        yield _lapse(case, held, lapses_at)
    else:
        yield _reminder(case, held, whole(lapses_at - limit / 4), lapses_at)


def lapses(case: Case, known: EscalationContext) -> bool:
    """Return whether it lapses unless somebody accepts: it was only acknowledged."""
    held = case.acknowledgement
    if held is None or held.is_acceptance:
        return False
    return _limit(case, held, known) is not None


def _limit(
    case: Case, held: Acknowledgement, known: EscalationContext
) -> timedelta | None:
    escalation = known.policy_of(case.policy).escalation
    if held.is_acceptance:
        return escalation.acceptance_lapses_after(case.priority)
    return escalation.acknowledgement_lapses_after(case.priority)


def _reminder(
    case: Case, held: Acknowledgement, when: datetime, lapses_at: datetime
) -> Due:
    def decided(at: datetime) -> list[events.EscalationAcknowledgementReminded]:
        return [
            events.EscalationAcknowledgementReminded(
                **on(case, at),
                cycle=case.cycle,
                level=case.post.level,
                person=held.person,
                lapses_at=lapses_at,
            )
        ]

    return Due(when, decided)


def _lapse(case: Case, held: Acknowledgement, when: datetime) -> Due:
    def decided(at: datetime) -> list[events.EscalationAcknowledgementLapsed]:
        return [
            events.EscalationAcknowledgementLapsed(
                **on(case, at),
                cycle=case.cycle,
                level=case.post.level,
                person=held.person,
                lapsed_at=when,
            )
        ]

    return Due(when, decided)


def reminded(case: Case) -> Case:
    """Return the case after the reminder."""
    held = case.acknowledgement
    return (
        case
        if held is None
        else replace(case, acknowledgement=held._replace(is_reminded=True))
    )


def lapsed(case: Case, event: events.EscalationAcknowledgementLapsed) -> Case:
    """Return the case after the lapse: the steps of the level begin again."""
    post, at = case.post, event.lapsed_at
    again = LevelSearch(
        post.level,
        post.team,
        post.entered_at,
        counts_from=at if post.accepted_by else post.counts_from,
        searched_from=at,
        paged=post.paged,
        team_channels=post.team_channels,
        asked_before=tuple(dict.fromkeys((*post.asked_before, *post.asked))),
        returns=post.returns,
        given=post.given,
        lapses=post.lapses + 1,
    )
    return replace(
        without_pages(case), post=again, taken=False, claim=None, acknowledgement=None
    )
