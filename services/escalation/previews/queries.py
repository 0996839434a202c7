"""Answers who would be told when, by what, if an incident came."""

from dataclasses import dataclass
from datetime import UTC
from functools import partial

from services.escalation.process import methods_of, rosters_of, zone_of
from services.escalation.round_robin import store as round_robin
from services.escalation.rules.context import EscalationContext, OpenProblems, terms_by
from services.escalation.rules.preview import preview
from services.escalation.unreachable_people import store as unreachable_people
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.commands.escalation_preview import (
    EscalationPreview,
    PreviewEscalation,
)
from shared.domain.policy.document import Policy
from shared.domain.sla import whole
from shared.eventlog.log import EventLog
from shared.eventlog.policies import newest_policy
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest

YEARS = range(2000, 2100)


@dataclass(frozen=True)
class EscalationPreviews:
    """Previews, of the policy in force; `webhook` tells whether pages have one."""

    log: EventLog
    clock: Clock
    webhook: bool = False

    def take(self, request: CommandRequest[PreviewEscalation]) -> EscalationPreview:
        """Return the preview that is asked for; see `of`."""
        return self.of(request.body)

    def of(self, question: PreviewEscalation) -> EscalationPreview:
        """Return what the policy in force does about an incident. Blocks.

        Raises `HttpError` 404 for a name that the policy does not have, 422 for an
        instant that is too far, 503 without a policy, and `Unavailable`.
        """
        at = whole((question.at or self.clock()).astimezone(UTC))
        if at.year not in YEARS:
            sentence = f"choose an instant from {YEARS[0]} to {YEARS[-1]}"
            raise HttpError(422, sentence, code="invalid")
        with self.log.transaction() as cursor:
            newest = newest_policy(self.log, cursor)
            if newest is None:
                raise HttpError(503, "no policy was applied yet: apply one")
            version, policy = newest
            require_known(question, policy)
            known = self._context(cursor, policy)
            return preview(question, at, version, policy, known)

    def _context(self, cursor: Cursors, policy: Policy) -> EscalationContext:
        """Return what the rules look up; nothing of it is about an incident."""

        def policy_of(_: int) -> Policy:
            return policy

        return EscalationContext(
            policy_of,
            terms_by(policy_of),
            lambda *_: OpenProblems(),
            lambda _: None,
            lambda *_: (),
            rosters_of(cursor),
            lambda: policy,
            webhook=self.webhook,
            methods_of=methods_of(cursor),
            is_alarmed=partial(unreachable_people.is_alarmed, cursor),
            last_turn=partial(round_robin.last_turn, cursor),
            zone_of=partial(zone_of, cursor),
        )


def require_known(question: PreviewEscalation, policy: Policy) -> None:
    """Refuse a service or a team that the policy does not have. `HttpError` 404."""
    if question.service not in policy.services:
        raise HttpError(
            404,
            f"there is no service {question.service}: see the policy",
            code="unknown",
        )
    if question.team is not None and question.team not in policy.teams:
        sentence = f"there is no team {question.team}: see the policy"
        raise HttpError(404, sentence, code="unknown")
