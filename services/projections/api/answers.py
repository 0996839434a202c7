"""The shapes of answers that several endpoints share."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """An answer; it can be built from the attributes of an object."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, use_attribute_docstrings=True
    )


class AsOfAnswer(Answer):
    """What the answer is based on: every event up to `position`, recorded at `time`."""

    position: Annotated[int, Field(examples=[1042])]
    time: AwareDatetime | None
    """Null while the log is empty."""


class Counts(Answer):
    """How many open incidents a queue holds, whatever the filters."""

    open: int
    breached: int
    """How many of those in progress broke a promise in this cycle."""
    status: dict[str, int]
    priority: dict[str, int]
