"""The commands on interventions: a person declares and withdraws their own.

Intake owns the streams `interventions-<person>`.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict

from shared.domain.bounded_text import Instant
from shared.domain.commands.incident import CommandBody
from shared.domain.events.on_call_history import InterventionId
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Person


class DeclareIntervention(CommandBody):
    """Declare that you worked in [start, end) while you were on standby.

    Only the person declares it: for the last 92 days, and at most 24 hours at a time.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "declare_intervention"
    person: Person
    start: Instant
    end: Instant
    incident: IncidentRef | None = None
    """What it was for."""


class WithdrawIntervention(CommandBody):
    """Withdraw an intervention that you declared."""

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "withdraw_intervention"
    person: Person
    intervention: InterventionId


InterventionCommand = DeclareIntervention | WithdrawIntervention

BODIES: Mapping[str, type[InterventionCommand]] = {
    kind.verb: kind for kind in get_args(InterventionCommand)
}
"""The body of each verb."""


class InterventionAnswer(BaseModel):
    """The outcome of a command about an intervention, as that of other commands."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Literal["recorded", "already", "repeated"]
    person: Person
    intervention: InterventionId
    version: int
    """The version of the person's interventions after it."""
    positions: list[int]
    short_rest_after: list[InterventionId] = []
    """Interventions after which fewer than eleven hours of rest followed: a warning."""
