"""What the work on an incident makes of its case: taken, waiting, back, over."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from services.escalation.case import Case, Claim, Post, Stood
from shared.domain.events import AnyEvent
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCancelled,
    IncidentClosed,
    IncidentPaused,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
)
from shared.domain.events.incident_ties import IncidentMerged, IncidentUnmerged
from shared.domain.incident.state import begun

Worked = (
    IncidentAcknowledged
    | IncidentAssigned
    | IncidentPaused
    | IncidentResumed
    | IncidentRestored
    | IncidentRelapsed
)
_PERSON = "person:"


def worked(  # noqa: PLR0911 one return a case
    case: Case, event: Worked, at: datetime
) -> Case:
    """Return the case after somebody worked on the incident."""
    match event:
        case IncidentAcknowledged(by=by):
            claim = Claim(by.removeprefix(_PERSON), "acknowledged")
            return replace(case, taken=True, urgent_since=None, claim=claim)
        case IncidentAssigned(team=team, assignee=assignee):
            post = replace(case.post, team=team)
            holders = case.held_by(team, at)
            given = replace(
                case, moves_to=team, assignee=assignee, post=post, holders=holders
            )
            if assignee is None:
                return given
            return replace(given, claim=Claim(assignee, "assigned"))
        case IncidentPaused(reason=reason):
            return replace(case, pause=reason, paused_at=at)
        case IncidentResumed():
            return _resumed(case, at)
        case IncidentRestored():
            return replace(case, restored_at=case.restored_at or at)
        case IncidentRelapsed():
            return _back_down(case, at)
        case _:
            assert_never(event)


def over(  # noqa: PLR0911 one return a case
    case: Case, event: AnyEvent, at: datetime
) -> Case:
    """Return the case after what ends an incident or begins it again."""
    match event:
        case IncidentResolved():
            return replace(case, stage="resolved")
        case IncidentClosed():
            return replace(case, stage="closed")
        case IncidentCancelled():
            return replace(case, stage="cancelled")
        case IncidentMerged():
            return replace(case, stage="merged", merged_at=at)
        case IncidentUnmerged():
            shifted = _searched_later(case, case.merged_at, at)
            return replace(shifted, stage="at_work", merged_at=None)
        case IncidentReopened():
            return _anew(case, event, at)
        case _:
            return case


def _resumed(case: Case, at: datetime) -> Case:
    if case.pause is None or case.paused_at is None:
        return case
    stood = Stood(case.paused_at, at, case.pause)
    return replace(case, pause=None, paused_at=None, stood=(*case.stood, stood))


def _back_down(case: Case, at: datetime) -> Case:
    if case.restored_at is None:
        return case
    stood = Stood(case.restored_at, at, "restored")
    shifted = _searched_later(case, case.restored_at, at)
    return replace(shifted, restored_at=None, stood=(*case.stood, stood))


def _searched_later(case: Case, since: datetime | None, until: datetime) -> Case:
    """Go on paging from where it stopped: who was asked then has had that long."""
    if since is None:
        return case
    begun = max(since, case.post.searched_from)
    later = case.post.searched_from + (until - begun)
    return replace(case, post=replace(case.post, searched_from=later))


def _anew(case: Case, event: IncidentReopened, at: datetime) -> Case:
    return replace(
        case,
        stage="at_work",
        cycle=event.cycle,
        post=Post("n1", case.desk_team, at, at, at),
        urgent_since=at if case.priority == "p1" else None,
        taken=False,
        moves_to=None,
        holders=begun(case.desk_team),
        claim=None,
        pause=None,
        paused_at=None,
        restored_at=None,
        alarm=None,
    )
