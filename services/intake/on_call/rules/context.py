"""What the rules decide from: who changes something, and what is on call until now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.directory.givers import unknown_person
from shared.domain.events.event import Actor
from shared.domain.limits import Limits
from shared.domain.on_call import Roster, shifts
from shared.domain.on_call.schedule_changes import Change
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role, group
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from shared.security.team_rights import manages, teams_of, teams_using

LONGEST = timedelta(days=366)
"""The longest period of a change: for anything longer, change the policy."""
AHEAD = timedelta(days=400)
OPEN_MAX = 500
"""Changes of one schedule, or absences of one person, that are not over."""
OWN_OPEN_MAX = 100
"""As many of them by one author who is not a manager."""
OWN_ONLY = (
    "people change their own shifts only: ask a manager of a team that uses the "
    "schedule"
)


@dataclass(frozen=True, slots=True)
class Changer:
    """Who changes something: their scopes, with the limits of each."""

    by: Actor
    at: datetime
    scopes: Sequence[Scope]
    limits: Mapping[Scope, tuple[Limits, ...]]
    policy: Policy
    strangers: Collection[str] = ()
    """The people in the command who are not at the desk."""

    @property
    def person(self) -> str:
        """Their id; empty for a machine."""
        kind, _, id_ = self.by.partition(":")
        return id_ if kind == "person" else ""

    def manages_schedule(self, schedule: str) -> bool:
        """Return whether they may change anybody's shifts in a schedule."""
        return self._manages(teams_using(self.policy, schedule))

    def manages_person(self, person: str) -> bool:
        """Return whether they may change the absences of somebody else."""
        return self._manages(teams_of(self.policy, person))

    def _manages(self, teams: Collection[str]) -> bool:
        rights = {scope: self.limits.get(scope) for scope in self.scopes}
        return manages(self.policy, self.person, rights, teams)

    def is_colleague(self, schedule: str, roster: Roster) -> bool:
        """Return whether they take turns in a schedule, or their team uses it."""
        teams = teams_using(self.policy, schedule)
        members = {each for name in teams for each in self.policy.teams[name].members}
        return self.person in members | people_of(roster)


def people_of(roster: Roster) -> frozenset[str]:
    """Return everybody who takes turns by the layers of a roster."""
    return frozenset(
        person
        for layer in roster.layers
        for participant in layer.rotation.participants
        for person in group(participant)
    )


def period_of(
    start: datetime | None, end: datetime, at: datetime
) -> tuple[datetime, datetime]:
    """Return the period of a change: what is past stays as it was."""
    begins = at if start is None else max(start, at)
    _require_order(start, end, "end")
    if end <= at:
        raise Refused(
            "it is over already, and who was on call stays as it was: name an instant "
            "to come",
            "invalid",
            "end",
        )
    _require_bounds(begins, end, at, "end")
    return begins, end


def later_period_of(
    start: datetime, end: datetime, at: datetime, names: tuple[str, str]
) -> tuple[datetime, datetime]:
    """Return a period that has not begun; `names` are those of its fields."""
    _require_order(start, end, names[1])
    if start <= at:
        raise Refused(
            "it has begun already, so nobody can consent in time: name an instant to "
            "come",
            "invalid",
            names[0],
        )
    _require_bounds(start, end, at, names[1])
    return start, end


def _require_order(start: datetime | None, end: datetime, field: str) -> None:
    if start is not None and end <= start:
        raise Refused("it ends before it begins: correct it", "invalid", field)


def _require_bounds(start: datetime, end: datetime, at: datetime, field: str) -> None:
    if end - start > LONGEST:
        raise Refused(
            f"it lasts more than {LONGEST.days} days: shorten it, or change the policy",
            "invalid",
            field,
        )
    if start - at > AHEAD:
        raise Refused(
            f"it begins more than {AHEAD.days} days ahead: wait", "invalid", field
        )


def require_at_the_desk(person: str, changer: Changer, field: str) -> None:
    """Raise `Refused` if somebody who is to be on call is not at the desk."""
    if person in changer.strangers:
        refused = unknown_person(person)
        raise Refused(refused.reason, "invalid", field)


def require_on_call(
    roster: Roster,
    person: str,
    role: Role,
    period: tuple[datetime, datetime],
    field: str,
) -> None:
    """Raise `Refused` if somebody has no shift in a period."""
    if not any(person in shift.people for shift in shifts(roster, *period, role)):
        raise Refused(
            f"{person} is not on call then: look at the shifts", "state", field
        )


def require_few(held: Collection[Change], changer: Changer, *, managing: bool) -> None:
    """Raise `Refused` if there are too many changes that may still have an effect.

    Those who do not manage what is changed may make fewer, so that they cannot use up
    what there is room for.
    """
    open_ = [each for each in held if each.is_open(changer.at)]
    if len(open_) >= OPEN_MAX:
        raise Refused(
            f"there are {OPEN_MAX} changes that are not over: withdraw some, or change "
            "the policy",
            "state",
        )
    if managing or sum(each.by == changer.by for each in open_) < OWN_OPEN_MAX:
        return
    raise Refused(
        f"you made {OWN_OPEN_MAX} changes that are not over: withdraw some, or ask a "
        "manager",
        "state",
    )


def is_withdrawable(held: Change, at: datetime) -> bool:
    """Return False if it is withdrawn already; raise `Refused` if it is over."""
    if held.withdrawn_at is not None:
        return False
    if held.until <= at:
        raise Refused(
            f"{held.id} is over, and who was on call stays as it was", "state"
        )
    return True


def unknown_change(sentence: str) -> Refused:
    """Return the refusal of a command about a change that was never made."""
    return Refused(sentence, "unknown_on_call_change")
