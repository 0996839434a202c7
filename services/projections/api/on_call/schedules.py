"""The policy in force, for questions about one of its schedules."""

from services.projections.api.desk import Desk
from services.projections.api.on_call.endpoints import require_schedule
from services.projections.api.position import known
from services.projections.generations import AsOf
from services.projections.log_queries import policy_at
from shared.database.cursors import Cursors
from shared.domain.policy.document import Policy
from shared.http.problem_details import HttpError


def policy_now(desk: Desk, cursor: Cursors, min_position: int) -> tuple[Policy, AsOf]:
    """Return the policy in force, and up to where it is known.

    `HttpError` 404 without a policy, 503 if the log has not come to `min_position`.
    """
    upto = known(cursor, None, min_position)
    found = policy_at(desk.log, cursor, upto.position)
    if found is None:
        raise HttpError(
            404,
            "no policy was in force then: an admin runs `permanence config apply`",
            code="no_policy",
        )
    return found[1], upto


def schedule_now(
    desk: Desk, cursor: Cursors, schedule: str, min_position: int
) -> tuple[Policy, AsOf]:
    """Return the same; `HttpError` 404 also if it has no such schedule."""
    policy, upto = policy_now(desk, cursor, min_position)
    require_schedule(policy, schedule)
    return policy, upto
