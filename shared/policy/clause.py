"""What every part of a policy has in common: frozen, and no word it does not know."""

from pydantic import BaseModel, ConfigDict


class Clause(BaseModel):
    """One mapping of the document."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )
