"""Which teams have had an incident in a cycle, and how often it came back to one."""

from datetime import datetime
from typing import NamedTuple


class Holders(NamedTuple):
    """The teams that had it in this cycle, each once; the last is the one that has it.

    `returns` counts how often it came to a team that had it before, the last at
    `returned_at`. A new cycle begins with the `desk`.
    """

    desk: str
    teams: tuple[str, ...]
    returns: int = 0
    returned_at: datetime | None = None


def begun(desk: str) -> Holders:
    """Return the desk alone: a cycle begins."""
    return Holders(desk, (desk,))


def passed(holders: Holders, team: str, at: datetime) -> Holders:
    """Return the teams once `team` has the incident; nothing moves where it has."""
    if team == holders.teams[-1]:
        return holders
    others = tuple(each for each in holders.teams if each != team)
    after = holders._replace(teams=(*others, team))
    if team not in holders.teams:
        return after
    return after._replace(returns=holders.returns + 1, returned_at=at)
