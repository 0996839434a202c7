"""What the bodies of all commands have in common."""

from pydantic import BaseModel, ConfigDict


class Wish(BaseModel):
    """A body: frozen, and no field it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )
