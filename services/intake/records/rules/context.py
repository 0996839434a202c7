"""What a rule may use besides the command and the record that the command is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from shared.domain.change import Change
from shared.domain.events.event import Actor
from shared.domain.external_record import ExternalRecord
from shared.domain.identifiers import IncidentRef
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.policy.targets import SupportLevel
from shared.domain.problem import Problem
from shared.domain.record import Record
from shared.domain.refusal import Refused

_PERSON = "person:"
_Kind = TypeVar("_Kind", Incident, Problem, Change, ExternalRecord)


class Helper(NamedTuple):
    """The team that an incident was last escalated or returned to in this cycle."""

    team: str
    level: SupportLevel
    person: str | None = None
    """The member of the team who has accepted it."""
    given_since: bool = False
    """Whether it was assigned to somebody after that."""
    has_lapsed: bool = False
    """Whether nobody has accepted it or was given it since the last one's lapsed."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """Who commands when, the policy in force, and the other records concerned."""

    ref: str
    """The record that the command is about, which may be new."""
    at: datetime
    """The instant of the decision, in UTC."""
    by: Actor
    policy: Policy
    policy_version: int
    roles: tuple[str, ...] = ()
    """The roles of the caller's token."""
    others: Mapping[str, Record] = field(default_factory=dict)
    """The other records that the command names, as far as they exist."""
    helper: Helper | None = None
    """The team or person above N1 that works on the incident."""
    new: IncidentRef | None = None
    """The reference of the incident that `split` opens."""
    client: str | None = None
    """The contract party that the directory has for the reporter of an `open`."""
    strangers: frozenset[str] = frozenset()
    """Those named to work on it who are neither in the directory nor have rights."""

    @property
    def person(self) -> str | None:
        """The id of the acting person; None if a machine acts."""
        by = self.by
        return by.removeprefix(_PERSON) if by.startswith(_PERSON) else None

    def common(self, whose: Actor | None = None) -> dict[str, Any]:
        """Return the fields common to every event of this decision.

        `whose` is the owner of the encryption key for personal text, if there is any.
        """
        return {
            "at": self.at,
            "by": self.by,
            "policy": self.policy_version,
            "whose": whose,
        }

    def on(self, ref: str, whose: Actor | None = None) -> dict[str, Any]:
        """Return these fields for an event of the incident `ref`."""
        return {"incident": ref, **self.common(whose)}

    def about(self, incident: Incident) -> dict[str, Any]:
        """Return these fields for an event with text about the incident's people.

        The text is encrypted with the key of the first reporter, or else of its author.
        """
        reporter = incident.reporter
        whose = f"{_PERSON}{reporter}" if reporter else self.by
        return self.on(incident.ref, whose)

    def other(self, kind: type[_Kind], ref: str | None) -> _Kind | None:
        """Return another record of this kind, or None if it does not exist."""
        record = self.others.get(ref or "")
        return record if isinstance(record, kind) else None

    def require(self, kind: type[_Kind], ref: str) -> _Kind:
        """Return another record; raise `Refused` if it does not exist."""
        record = self.other(kind, ref)
        if record is None:
            name = "record" if kind is ExternalRecord else kind.__name__.lower()
            raise Refused(f"there is no {name} {ref}", "unknown_target")
        return record
