"""Who does not know a service, where a team says who does."""

from collections.abc import Iterable

from shared.policy.document import Policy


def unskilled(
    policy: Policy, team: str, service: str, people: Iterable[str]
) -> tuple[str, ...] | None:
    """Return those who are not named as knowing the service; None if there are none.

    A team that names nobody for the service needs no skill for it, its manager none.
    """
    found = policy.teams.get(team)
    if found is None or service not in found.skills:
        return None
    able = {*found.skills[service], found.manager}
    return tuple(each for each in people if each not in able) or None
