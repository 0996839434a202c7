"""The context of a decision besides its incident, and the refusal of a command.

A refusal is a sentence that says what to do instead. Names that a command uses must
exist in the policy.
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
    """The team that an incident was last escalated or returned to in this cycle."""

    team: str
    level: SupportLevel
    person: str | None = None
    """The member of the team who has accepted it."""
    given_since: bool = False
    """Whether it was assigned to somebody after that."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """The command, the second record if there is one, and the policy in force."""

    command: Command
    other: Incident | None
    record: Problem | Change | None
    policy: Policy
    policy_version: int
    helper: Helper | None = None

    @property
    def person(self) -> str | None:
        """The id of the acting person; None if a machine acts."""
        by = self.command.by
        return by.removeprefix(_PERSON) if by.startswith(_PERSON) else None

    def on(self, ref: str, whose: Actor | None = None) -> dict[str, Any]:
        """Return the fields common to every event of this decision on incident `ref`.

        `whose` is the owner of the encryption key for personal text, if there is any.
        """
        return {
            "incident": ref,
            "at": self.command.at,
            "by": self.command.by,
            "policy": self.policy_version,
            "whose": whose,
        }

    def about(self, incident: Incident) -> dict[str, Any]:
        """Return these fields for an event with text about the incident's people.

        The text is encrypted with the key of the first reporter, or else of its author.
        """
        reporter = incident.reporter
        whose = f"{_PERSON}{reporter}" if reporter else self.command.by
        return self.on(incident.ref, whose)


Code = Literal[
    "unknown_incident",  # the incident does not exist
    "unknown_problem",
    "unknown_change",
    "unknown_target",  # the other record does not exist
    "state",  # not allowed in this status
    "firing",  # one of its alerts still fires
    "window",  # too late to reopen
    "role",  # not allowed for this person
    "invalid",  # a given or missing value does not fit
]


class Refused(Exception):
    """The command is valid but not allowed."""

    def __init__(self, reason: str, code: Code) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code: Code = code


_SHOWN_MAX = 12


def known(kind: str, name: str, names: Collection[str]) -> str:
    """Return `name` if it is one of `names`; else raise `Refused`, listing some."""
    if name in names:
        return name
    shown = ", ".join(nsmallest(_SHOWN_MAX, names)) or "none"
    more = ", …" if len(names) > _SHOWN_MAX else ""
    raise Refused(
        f"the policy has no {kind} `{name}`: choose one of {shown}{more}", "invalid"
    )
