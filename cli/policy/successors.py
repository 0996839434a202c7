"""Gives the work of teams that a policy drops to their successors, as a person would.

One command for each record, to the running desk: its owners decide, and what they
refuse stays where it is. A record that has been moved is not listed again, so the same
command continues after an interruption.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, NamedTuple

import typer

from cli.shell.api_client import Api
from cli.shell.output import Exit, bar, refused
from services.intake.policy import store as policy_store
from services.intake.policy.dropped_teams import (
    Successors,
    left_behind,
    not_yet_there,
    successors_in,
)
from services.intake.policy.team_work import Kind, Work, by_team, in_words, listed
from shared.domain.policy.document import Policy
from shared.eventlog.log import EventLog
from shared.mistake import Wrong

HandOver = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OLD=NEW",
        help="First assign the open work of a team that it drops to another one, with "
        "your token; repeat it for several.",
    ),
]

_PERSON = "person:"
_PATHS: Mapping[Kind, str] = {
    "incident": "/v1/incidents/{}/assign",
    "problem": "/v1/problems/{}/assign",
    "change": "/v1/changes/{}/assign",
}


class HandedOver(NamedTuple):
    """The records that other teams have now, and why some others stayed."""

    moved: Sequence[Work] = ()
    stayed: Sequence[Wrong] = ()

    @property
    def done(self) -> str:
        """What was done, if the policy was not applied."""
        if not self.moved:
            return "nothing was done"
        return f"the policy was not applied; other teams have {in_words(self.moved)}"

    def sentences(self, successors: Successors) -> Iterator[str]:
        """Yield what each successor has now."""
        for team, work in by_team(self.moved).items():
            yield f"{successors[team]} has from {team}: {in_words(work)}."


@dataclass(frozen=True, slots=True)
class WorkMove:
    """Assigns records to the successors of their teams, with a reason."""

    desk: Api
    successors: Successors
    policy: Policy
    """The one to be applied: who is in both teams keeps their incidents."""
    reason: str

    def run(
        self, work: Sequence[Work], report: Callable[[int, int], None]
    ) -> HandedOver:
        """Assign what the teams have; `report` is told how many of how many."""
        moved: list[Work] = []
        stayed: list[Wrong] = []
        left = [each for each in work if each.team in self.successors]
        for number, each in enumerate(left, start=1):
            path = _PATHS[each.kind].format(each.ref)
            why = self.desk.refusal_of(path, self._body(each))
            if why is None:
                moved.append(each)
            else:
                stayed.append((("teams", each.team), f"{each.ref} stays there: {why}"))
            report(number, len(left))
        return HandedOver(moved, stayed)

    def _body(self, work: Work) -> Mapping[str, object]:
        successor = self.successors[work.team]
        if work.kind != "incident":
            return {"team": successor}
        body = {"team": successor, "reason": self.reason}
        team = self.policy.teams[successor]
        keeps = work.assignee in {*team.members, team.manager}
        return body | ({"assignee": work.assignee} if keeps else {})


def successors_of(written: Sequence[str], policy: Policy) -> Successors:
    """Return the successors as OLD=NEW names them; exit with a message if wrong."""
    found = successors_in(written, policy)
    if isinstance(found, str):
        raise refused(found, Exit.INVALID)
    return found


def handed_over(log: EventLog, text: str, move: WorkMove, now: datetime) -> HandedOver:
    """Give the work of teams to their successors, before the policy in `text` applies.

    Exits with a message if a successor can be given nothing yet.
    """
    in_force = policy_store.current(log)
    if why := not_yet_there(move.successors, in_force[1] if in_force else None):
        raise refused(why, Exit.INVALID)
    left = left_behind(log, text, move.policy, now)
    with bar({"move": "handing over"}) as report:
        return move.run(left.work, partial(report, "move"))


def work_plain(
    work: Sequence[Work], successors: Successors | None = None
) -> list[dict[str, object]]:
    """Return records as JSON, by team and kind, with the team that has them now."""
    to = {team: {"to": new} for team, new in (successors or {}).items()}
    return [
        {"team": team, **to.get(team, {}), "kind": kind, "refs": refs}
        for team, own in by_team(work).items()
        for kind, refs in listed(own).items()
    ]


def mover(desk: Api, by: str | None) -> str:
    """Return the person who moves work, and so applies the policy: the token's."""
    me = desk.get("/v1/me")
    person = str(me["actor"]).removeprefix(_PERSON)
    if not (me["may_command"] and str(me["actor"]).startswith(_PERSON)):
        sentence = f"{me['actor']} may not assign work: use the token of an agent"
        raise refused(sentence, Exit.INVALID)
    if by not in (None, person):
        sentence = (
            f"--by {by}: the work would be assigned by {person}, whose token this is: "
            "leave --by out, or use your own token"
        )
        raise refused(sentence, Exit.INVALID)
    return person
