"""Who may say what about an incident: by their relation to it, beside their right.

Whether somebody may give commands at all, and where, follows from their right and its
limits; whether a command fits the status, from `possible`. This is the third question:
is it theirs to say. It is asked where a command is decided and where it is offered, and
never of what the log holds.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal, NamedTuple

from shared.domain.commands import escalation as escalations
from shared.domain.commands import incident as incidents
from shared.domain.incident.possible import EXTENSIONS
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused

_PERSON = "person:"
Relation = Literal["member", "manager", "paged", "anybody"]
"""`member` and `manager`: of the team that has the incident at its level, or of the one
that a hand-over asks. `paged`: they were, at this level. `anybody`: everybody with the
right to give commands about it."""


class Rule(NamedTuple):
    """Whose relation admits a verb, and what everybody else is told to do instead."""

    who: frozenset[Relation]
    otherwise: str = ""


_ANYBODY = Rule(frozenset({"anybody"}))
_PAGED = Rule(frozenset({"paged"}), "only somebody who was paged can answer a page")
_TEAM: frozenset[Relation] = frozenset({"member", "manager"})
_DECLINES = Rule(
    _TEAM, "only {team} and its manager can decline what was handed to {team}: ask them"
)

_OF_ANYBODY = (
    incidents.Open.verb,
    incidents.Attach.verb,
    incidents.Classify.verb,
    incidents.Edit.verb,
    incidents.Assign.verb,
    incidents.Acknowledge.verb,
    incidents.Return.verb,
    incidents.Pause.verb,
    incidents.Resume.verb,
    incidents.Inform.verb,
    incidents.Restore.verb,
    incidents.Relapse.verb,
    incidents.Resolve.verb,
    incidents.NoteSolution.verb,
    incidents.Reopen.verb,
    incidents.Close.verb,
    incidents.Cancel.verb,
    incidents.Redirect.verb,
    incidents.RemoveAttachment.verb,
    incidents.Snooze.verb,
    incidents.Wake.verb,
    incidents.Note.verb,
    incidents.Remind.verb,
    incidents.Unremind.verb,
    incidents.Link.verb,
    incidents.Unlink.verb,
    incidents.Merge.verb,
    incidents.Unmerge.verb,
    incidents.Split.verb,
    EXTENSIONS,
    escalations.Escalate.verb,
)
"""What colleagues do for each other. It may end a search, too, but as a fact about the
incident that everybody sees and anybody takes back, and not in somebody's name."""

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_OF_ANYBODY, _ANYBODY),
    escalations.Accept.verb: Rule(
        _TEAM | {"paged"},
        "accepting it ends the paging, so only {team}, its manager and those who were "
        "paged can: assign it to one of them, or to the team of who works on it",
    ),
    escalations.TakePage.verb: _PAGED,
    escalations.DeclinePage.verb: _PAGED,
    escalations.PageAnother.verb: _PAGED,
    escalations.Decline.verb: _DECLINES,
    escalations.DeclineService.verb: _DECLINES,
}
"""By verb, whose it is to say. Each verb has a row."""


class People(NamedTuple):
    """The people of an incident, or of a hand-over, among whom relations are looked up.

    `policies` are the one that it was opened under and the one in force, so that who
    joined the team since can help: the later ones are asked only if it matters.
    """

    team: str
    policies: Callable[[], Iterable[Policy]]
    paged: Collection[str] = ()


def relations(policy: Policy, team: str, person: str) -> frozenset[Relation]:
    """Return how a policy relates a person to a team."""
    found = policy.teams.get(team)
    if found is None:
        return frozenset()
    is_member, is_manager = person in found.members, person == found.manager
    related: dict[Relation, bool] = {"member": is_member, "manager": is_manager}
    return frozenset(each for each, holds in related.items() if holds)


def may_say(verb: str, person: str | None, people: People) -> bool:
    """Return whether a verb is a person's to say; None is who is not a person."""
    who = RULES[verb].who
    if "anybody" in who:
        return True
    if person is None:
        return False
    if "paged" in who and person in people.paged:
        return True
    return any(who & relations(each, people.team, person) for each in people.policies())


def otherwise(verb: str, people: People) -> str:
    """Return what they do instead whose verb it is not, "" if it is everybody's."""
    return RULES[verb].otherwise.format(team=people.team)


def require_relation(verb: str, actor: str, people: People) -> str:
    """Return the person who says it. Raises `Refused` if it is not theirs to say."""
    person = actor.removeprefix(_PERSON) if actor.startswith(_PERSON) else None
    if person is None or not may_say(verb, person, people):
        raise Refused(otherwise(verb, people), "role")
    return person
