"""What was recorded of a schedule before an instant, as far as somebody may know it.

Who was on call is not computed afterwards: another policy would change the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from services.projections.api.callers import person_of
from services.projections.api.query_params import unwanted
from shared.database.cursors import Cursors
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role
from shared.on_call_history import Period, TooMany, periods
from shared.security.access import Caller
from shared.security.sender import REVIEWERS
from shared.security.team_rights import manages, teams_using

HANDOVERS_MAX = 2_000
"""The maximum number of hand-overs in one answer."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class HistorySight:
    """Of whom the caller may know that they were on call in a schedule."""

    everybody: bool
    person: str | None
    """The caller, unless it is a machine: they see their own periods in any case."""

    @classmethod
    def of(cls, caller: Caller, policy: Policy, schedule: str) -> Self:
        """Return what a caller sees of the history of a schedule.

        Those who manage a team that uses it see all, and auditors in the same way.
        """
        person = person_of(caller)
        rights = {scope: caller.limits_of(scope) for scope in caller.scopes}
        teams = teams_using(policy, schedule)
        everybody = manages(policy, person or "", rights, teams, REVIEWERS)
        return cls(everybody, person)

    def of_periods(self, found: Sequence[Period]) -> Sequence[Period]:
        """Return the periods that are seen; their own without the others in them."""
        if self.everybody:
            return found
        return [
            replace(each, people=(self.person,))
            for each in found
            if self.person is not None and self.person in each.people
        ]


@dataclass(frozen=True, slots=True)
class RecordedPart:
    """The periods of one role that were over at the end of a span."""

    shifts: Sequence[Period] = ()
    gaps: Sequence[Span] = ()
    until: datetime | None = None
    """When the last of them ended: what is computed begins at the earliest then."""


def recorded_part(
    cursor: Cursors, schedule: str, role: Role, span: Span, sight: HistorySight
) -> RecordedPart:
    """Return what was recorded within a span; nothing if that is empty.

    Raises `HttpError` 422 if it has too many hand-overs.
    """
    start, end = span
    if start >= end:
        return RecordedPart()
    try:
        found = periods(cursor, schedule, start, end, HANDOVERS_MAX)
    except TooMany as error:
        raise unwanted("from", f"these are {error}: ask for a shorter time") from error
    over = [
        (each, each.ends)
        for each in found
        if each.role == role and each.ends is not None and each.ends <= end
    ]
    seen = sight.of_periods([each for each, _ in over])
    return RecordedPart(
        [each for each in seen if each.people],
        [
            (max(each.begins, start), ends)
            for each, ends in over
            if sight.everybody and not each.people
        ],
        max((ends for _, ends in over), default=None),
    )
