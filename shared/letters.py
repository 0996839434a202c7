"""What is asked of a letter that was set aside: the body of its API."""

from pydantic import BaseModel, ConfigDict

from shared.references import IncidentRef


class RetryLetter(BaseModel):
    """Take a letter that was set aside: a person has looked at it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    incident: IncidentRef | None = None
    """Where it belongs; left out: where it says itself."""
