"""A question without parameters: any is an error that names it."""

from pydantic import BaseModel, ConfigDict


class Nothing(BaseModel):
    """No query parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid")
