"""The command that asks about the pages of somebody else: it is recorded first.

Intake owns the streams `explanations-<person>`.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.bounded_text import Instant, Reason
from shared.domain.commands.incident import CommandBody
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Person


class ExplainPages(CommandBody):
    """Ask why somebody else was paged for an incident, or was not.

    A manager of one of their teams may, or an auditor, with a reason. The person sees
    who asked, when and why. The same question within 15 minutes is recorded once.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "explain_pages"
    person: Person
    at: Instant | None = None
    """What was known at this instant. Default: now."""
    reason: Reason


BODIES: Mapping[str, type[ExplainPages]] = {ExplainPages.verb: ExplainPages}
"""The body of each verb."""


class ExplanationAnswer(BaseModel):
    """The outcome: the question is in the log."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Literal["recorded", "already", "repeated"]
    """`already`: the same was asked within 15 minutes."""
    person: Person
    incident: IncidentRef
    version: int
    """The version of the questions about the person."""
    positions: list[int]
