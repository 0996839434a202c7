"""Everything a decision is made under, beside the incident it is about.

The answer no, as a sentence that says what to do instead.

What a command calls by name must stand in the policy.
"""

from collections.abc import Collection
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Literal, NamedTuple

from services.intake.commands.command import Command
from shared.domain.change import Change
from shared.domain.events.event import Actor
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import SupportLevel
from shared.domain.problem import Problem

_PERSON = "person:"


class Helper(NamedTuple):
    """To whom an incident last went up or back in this cycle, by its escalation."""

    team: str
    level: SupportLevel
    person: str | None = None
    """Who of the team has accepted it."""
    given_since: bool = False
    """Whether it was given to somebody after that."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """The command, the second record where there is one, the policy in force."""

    command: Command
    other: Incident | None
    record: Problem | Change | None
    policy: Policy
    policy_version: int
    helper: Helper | None = None

    @property
    def person(self) -> str | None:
        """The id of the person who acts; none where a machine does."""
        by = self.command.by
        return by.removeprefix(_PERSON) if by.startswith(_PERSON) else None

    def on(self, ref: str, whose: Actor | None = None) -> dict[str, Any]:
        """Return what every event of this decision on incident `ref` has in common.

        `whose` is the owner of the key for personal words, where it has any.
        """
        return {
            "incident": ref,
            "at": self.command.at,
            "by": self.command.by,
            "policy": self.policy_version,
            "whose": whose,
        }

    def about(self, incident: Incident) -> dict[str, Any]:
        """Return the same for an event with words about the incident's people.

        They are its first reporter's; without one, whoever wrote them owns them.
        """
        reporter = incident.reporter
        whose = f"{_PERSON}{reporter}" if reporter else self.command.by
        return self.on(incident.ref, whose)


Code = Literal[
    "unknown_incident",  # there is no such incident
    "unknown_problem",
    "unknown_change",
    "unknown_target",  # the other record named does not exist
    "state",  # not in this state of the incident
    "firing",  # a signal of it says that it is not over
    "window",  # too late to reopen
    "role",  # not this person
    "invalid",  # something named or left out does not fit
]


class Refused(Exception):
    """The command is understood and the answer is no."""

    def __init__(self, reason: str, code: Code) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code: Code = code


_SHOWN_MAX = 12


def known(kind: str, name: str, names: Collection[str]) -> str:
    """Return `name` if it is one of `names`; else raise `Refused`, naming some."""
    if name in names:
        return name
    shown = ", ".join(nsmallest(_SHOWN_MAX, names)) or "none"
    more = ", …" if len(names) > _SHOWN_MAX else ""
    raise Refused(
        f"the policy has no {kind} `{name}`: choose one of {shown}{more}", "invalid"
    )
