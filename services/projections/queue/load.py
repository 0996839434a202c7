"""The load of each team at each support level, computed from the queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime

from services.projections.queue.order import AWAITS_CLOSURE, BREACHED
from services.projections.queue.page import passed_by_hours
from services.projections.queue.tables import ROWS
from services.projections.sight import EVERYTHING, Sight
from shared.database.cursors import Cursors
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.targets import SupportLevel
from shared.domain.policy.teams import Team

DEFINITIONS: Mapping[str, str] = {
    "open": "Open incidents, as the queue of the team counts them.",
    "at_work": "Of these, those that are not resolved: the others await their closure.",
    "breached": "Of those at work, those that broke a promise in this cycle.",
    "oldest": "Of those at work, the one that was reported first.",
    "committed_seconds": "The working time that the promises to resolve still leave "
    "for those at work, in the hours of their contracts and as it was agreed last. "
    "A promise that is paused counts what it had left; one that is overdue or kept "
    "counts nothing.",
}
"""The definitions of the numbers of a load, as answers and pages show them."""

_LOAD = """
SELECT team, level, count(*), count(*) FILTER (WHERE at_work),
       count(*) FILTER (WHERE rank = %s),
       (array_agg(ref ORDER BY reported_at, ref) FILTER (WHERE at_work))[1],
       min(reported_at) FILTER (WHERE at_work),
       coalesce(sum(left_over) FILTER (WHERE at_work AND sla_cycle = cycle), 0)::bigint
FROM (
    SELECT *, rank < %s AS at_work,
           coalesce(ttr_left, greatest(resolved_by - passed, 0)) AS left_over
    FROM {}.{} LEFT JOIN unnest(%s::text[], %s::bigint[]) AS counted (name, passed)
      ON resolved_in = name AND resolved_in <> ''
    WHERE rank IS NOT NULL AND {}
) AS open GROUP BY team, level ORDER BY team, level
"""


@dataclass(frozen=True)
class Load:
    """The load of a team at a support level; see `DEFINITIONS`."""

    team: str
    level: SupportLevel
    open: int
    at_work: int
    breached: int
    oldest: IncidentRef | None
    oldest_reported_at: AwareDatetime | None
    committed_seconds: int


def load(
    cursor: Cursors,
    schema: str,
    now: datetime,
    teams: Mapping[str, Team],
    sight: Sight = EVERYTHING,
) -> list[Load]:
    """Return the load of all owners of open incidents, and of teams without any.

    Reads every open incident that is within `sight`.
    """
    names, passed = passed_by_hours(cursor, schema, now)
    where = sight.conditions(schema)
    text = " AND ".join(each for each, _ in where) or "true"
    values = [value for _, values in where for value in values]
    found = cursor.execute(
        _LOAD.format(schema, ROWS.name, text),
        (BREACHED, AWAITS_CLOSURE, names, passed, *values),
    )
    busy = [Load(*row) for row in found]
    held = {each.team for each in busy}
    idle = [
        Load(name, team.level, 0, 0, 0, None, None, 0)
        for name, team in teams.items()
        if team.level is not None and name not in held and sight.sees_team(name)
    ]
    return sorted([*busy, *idle], key=lambda each: (each.team, each.level))
