"""What a policy leaves behind in teams and schedules that it no longer has.

Nobody is in such a team, and nobody is paged by such a schedule. Both are seen before
the policy is applied, or not at all. A team's work is given to its successor by the
commands with which people assign it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.policy.store import current
from services.intake.policy.team_work import (
    Work,
    by_team,
    climbing,
    counted,
    in_words,
    limited_roles,
    waiting_handovers,
    work_of_others,
)
from shared.database.cursors import Cursors
from shared.domain.on_call.shifts import on_call
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import RANK
from shared.domain.policy.validation import placed
from shared.eventlog.log import EventLog
from shared.mistake import Mistake, Wrong
from shared.on_call_changes import rosters_of

Successors = Mapping[str, str]
"""The team that takes over, by the team whose work it gets."""
_HELD = "the policy drops this team while {}: {}"
_TAKE_OVER = (
    "name the team that takes over with --hand-over {}=TEAM, or apply it with "
    "--leave-work"
)
_ANSWER = (
    "accept, join or decline them first (*Operations*, *Problem Management*), or apply "
    "it with --leave-work"
)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What is wrong with a policy, where its file lacks a team or a schedule."""

    held: Sequence[Mistake] = ()
    """What keeps it from being applied: what teams have that it drops."""
    warnings: Sequence[Mistake] = ()
    """What it leaves without a team or without pages, which does not prevent it."""
    work: Sequence[Work] = ()
    """The open records of all teams that it does not have."""


def left_behind(
    log: EventLog,
    text: str,
    policy: Policy,
    now: datetime,
    moved: Collection[str] = (),
) -> LeftBehind:
    """Return what the policy in `text` leaves behind, if it follows the one in force.

    `moved` are records that were just assigned to other teams.
    """
    in_force = current(log)
    if in_force is None:
        return LeftBehind()
    _, before = in_force
    with log.transaction() as cursor:
        found = work_of_others(cursor, policy.teams)
        work = [each for each in found if each.ref not in moved]
        held = [*_held(before, work), *_awaited(cursor, before, policy)]
        warnings = [
            *_stray(before, work),
            *_roles(before, policy),
            *_climbers(cursor, before, policy),
            *_limited(cursor, before, policy, now),
            *_people(cursor, before, policy, now),
        ]
    return LeftBehind(placed(text, held), placed(text, warnings), work)


def successors_in(written: Sequence[str], policy: Policy) -> Successors | str:
    """Return the teams that take over, by those of which they do; or what is wrong.

    Each is written as OLD=NEW; `policy` is the one to be applied.
    """
    found: dict[str, str] = {}
    for each in written:
        old, sign, new = each.partition("=")
        if not (old and sign and new):
            return f"--hand-over {each}: write OLD=NEW, two names of teams"
        if old in policy.teams:
            return f"--hand-over {each}: the policy has `{old}`: leave this out"
        if new not in policy.teams:
            return f"--hand-over {each}: the policy has no team `{new}`: name another"
        if found.setdefault(old, new) != new:
            return f"--hand-over {each}: `{old}` is given twice: name one successor"
    return found


def not_yet_there(successors: Successors, in_force: Policy | None) -> str | None:
    """Return why work cannot be given to a successor yet, None if it can.

    Work is given to teams of the policy in force: it is moved before the next one is
    applied, so that whatever fails in between, somebody has it.
    """
    teams = in_force.teams if in_force else ()
    missing = sorted({new for new in successors.values() if new not in teams})
    if not missing:
        return None
    return (
        f"the policy in force has no team `{'`, `'.join(missing)}`, so that it can be "
        "given nothing yet: apply a policy with both teams first, then this one"
    )


def _held(before: Policy, work: Sequence[Work]) -> Iterator[Wrong]:
    for team, own in by_team(work).items():
        if team in before.teams:
            what = f"it has {in_words(own)}"
            yield ("teams", team), _HELD.format(what, _TAKE_OVER.format(team))


def _awaited(cursor: Cursors, before: Policy, after: Policy) -> Iterator[Wrong]:
    for team in _gone(before, after):
        if refs := waiting_handovers(cursor, team):
            what = f"{counted('hand-over', refs)} to Problem Management wait for it"
            yield ("teams", team), _HELD.format(what, _ANSWER)


def _stray(before: Policy, work: Sequence[Work]) -> Iterator[Wrong]:
    for team, own in by_team(work).items():
        if team not in before.teams:
            sentence = (
                "neither this policy nor the one in force has this team, and it has "
                f"{in_words(own)}: name another with --hand-over {team}=TEAM"
            )
            yield ("teams", team), sentence


def _roles(before: Policy, after: Policy) -> Iterator[Wrong]:
    """Yield the roles of teams that are gone: another team has them from then on."""
    desk = before.desk.team
    if desk not in after.teams:
        sentence = (
            f"the policy drops `{desk}`, which had first contact: what is returned or "
            f"reopened from then on comes to `{after.desk.team}`"
        )
        yield ("desk", "team"), sentence
    causes = before.problems.team if before.problems else None
    if causes is not None and causes not in after.teams:
        taker = f"to `{after.problems.team}`" if after.problems else "to nobody"
        sentence = (
            f"the policy drops `{causes}`, which had Problem Management: incidents "
            f"opened from then on are handed over {taker}, those opened before still "
            f"to `{causes}`: have them accepted or joined"
        )
        yield ("problems", "team"), sentence


def _climbers(cursor: Cursors, before: Policy, after: Policy) -> Iterator[Wrong]:
    for team in _gone(before, after):
        level = before.teams[team].level
        below = [each for each in RANK if level and RANK[each] < RANK[level]]
        services = [n for n, each in before.services.items() if team in each.support]
        if below and (refs := climbing(cursor, team, services, below)):
            sentence = (
                f"{counted('open incident', refs)} may still escalate to this team and "
                "page its people, as the policy says under which they were opened: "
                "look at `permanence doctor`, which lists what comes to it"
            )
            yield ("teams", team), sentence


def _limited(
    cursor: Cursors, before: Policy, after: Policy, now: datetime
) -> Iterator[Wrong]:
    for team in _gone(before, after):
        if roles := limited_roles(cursor, team, now):
            sentence = (
                f"{counted('role', roles)} of people limited to this team: have each "
                "moved with `permanence people move`, or they see nothing of its work"
            )
            yield ("teams", team), sentence


def _people(
    cursor: Cursors, before: Policy, after: Policy, now: datetime
) -> Iterator[Wrong]:
    gone = before.schedules.keys() - after.schedules.keys()
    used = {team.schedule for team in after.teams.values()}
    own = {before.teams[team].schedule for team in _gone(before, after)}
    ending = sorted(gone | {each for each in own - used if each is not None})
    rosters = rosters_of(cursor, before, since=now) if ending else {}
    for schedule in ending:
        if people := on_call(rosters[schedule], now):
            lost = "this schedule" if schedule in gone else "the teams of this schedule"
            sentence = (
                f"the policy drops {lost} while somebody is on call in it "
                f"({', '.join(people)}): tell them, no team pages by it from then on"
            )
            yield ("schedules", schedule), sentence


def _gone(before: Policy, after: Policy) -> list[str]:
    return sorted(before.teams.keys() - after.teams.keys())
