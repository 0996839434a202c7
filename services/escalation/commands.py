"""Commands from people: escalate, accept, answer a page or a hand-over. Pure rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never

from services.escalation.acknowledgements.rules import lapses
from services.escalation.page_commands import answered
from services.escalation.rules.acceptances import accepted, people_of
from services.escalation.rules.case import Case
from services.escalation.rules.context import EscalationContext, on
from services.escalation.rules.levels import escalated, team_above
from shared.domain.commands.escalation import (
    Accept,
    Decline,
    DeclinePage,
    DeclineService,
    Escalate,
    EscalationCommand,
    PageAnother,
    TakePage,
)
from shared.domain.events import AnyEvent
from shared.domain.events.handover import HandoverDeclined, ServiceHandoverDeclined
from shared.domain.incident.possible import refused_acceptance
from shared.domain.incident.relations import require_relation
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import RANK
from shared.domain.refusal import Refused
from shared.domain.sla import whole
from shared.messaging.commands import CommandRequest

_PERSON = "person:"


def decide_command(
    request: CommandRequest[Any], case: Case, at: datetime, known: EscalationContext
) -> Sequence[AnyEvent]:
    """Return the events of a command; empty if it is already so. Raises `Refused`."""
    command: EscalationCommand = request.body
    actor = request.actor
    match command:
        case Escalate():
            return _escalated(command, case, actor, at, known)
        case Accept():
            return _accepted(case, actor, at, known)
        case TakePage() | DeclinePage() | PageAnother():
            _require_at_work(case)
            return answered(command, case, actor, at, known)
        case Decline():
            return _declined(command, case, actor, at, known)
        case DeclineService():
            return _service_declined(command, case, actor, at, known)
        case _:
            assert_never(command)


def _escalated(
    command: Escalate, case: Case, actor: str, at: datetime, known: EscalationContext
) -> Sequence[AnyEvent]:
    _require_at_work(case)
    policy, post = known.policy_of(case.policy), case.post
    if command.team == post.team or command.level == post.level:
        return []
    team = _target(command, case, policy)
    reason = {"reason": command.reason, "by": actor, "whose": actor}
    moved = escalated(
        case, at, policy, team, cause="by_hand", escalated_at=whole(at), **reason
    )
    return [moved]


def _target(command: Escalate, case: Case, policy: Policy) -> str:
    """Return the target team: the one named, or the next one of the service."""
    if command.team is None:
        team = team_above(case, policy, command.level)
        if team is None:
            where = f"at {command.level} " if command.level else ""
            raise Refused(
                f"{case.incident} is at {case.post.level}, and its service has no team "
                f"{where}above that: name a `team`",
                "state",
            )
        return team
    if command.team not in policy.teams:
        raise Refused(f"there is no team {command.team}: see the policy", "invalid")
    level = policy.teams[command.team].level
    if level is None or RANK[level] <= RANK[case.post.level]:
        raise Refused(
            f"{command.team} is not above {case.post.level}, where {case.incident} is: "
            "assign it to them, or return it",
            "state",
        )
    return command.team


def _accepted(
    case: Case, actor: str, at: datetime, known: EscalationContext
) -> Sequence[AnyEvent]:
    _require_at_work(case)
    person, post = actor.removeprefix(_PERSON), case.post
    if person in post.takers and not lapses(case, known):
        return []
    accepted_by = post.accepted_by if post.has_enough else None
    holder = person if person in post.takers else accepted_by
    if why := refused_acceptance(case.incident, post.level, holder, person):
        raise why
    person = require_relation(Accept.verb, actor, people_of(case, known))
    return [accepted(case, at, known.policy_of(case.policy), person, "accepted")]


def _declined(
    command: Decline, case: Case, actor: str, at: datetime, known: EscalationContext
) -> Sequence[AnyEvent]:
    handover = case.handover
    if handover is None or handover.state == "wanted":
        raise Refused(f"{case.incident} was not handed over", "unknown_handover")
    if handover.state == "declined":
        return []
    if not handover.awaits:
        raise Refused(f"the hand-over of {case.incident} was {handover.state}", "state")
    require_relation(command.verb, actor, people_of(case, known, handover.team))
    common = _by_themselves(case, actor, at)
    return [HandoverDeclined(**common, reason=command.reason)]


def _service_declined(
    command: DeclineService,
    case: Case,
    actor: str,
    at: datetime,
    known: EscalationContext,
) -> Sequence[AnyEvent]:
    held = case.service_handover
    if held is None:
        raise Refused(
            f"{case.incident} did not bring a service to Problem Management",
            "unknown_handover",
        )
    if held.state == "declined":
        return []
    if not held.awaits:
        raise Refused(f"the hand-over of {held.service} was {held.state}", "state")
    require_relation(command.verb, actor, people_of(case, known, held.team))
    common = _by_themselves(case, actor, at) | {"service": held.service}
    return [ServiceHandoverDeclined(**common, reason=command.reason)]


def _by_themselves(case: Case, actor: str, at: datetime) -> dict[str, Any]:
    common = {k: v for k, v in on(case, at).items() if k not in ("policy", "by")}
    return common | {"by": actor, "whose": actor}


def _require_at_work(case: Case) -> None:
    if case.stage != "at_work":
        raise Refused(f"{case.incident} is {case.stage}: reopen it first", "state")
