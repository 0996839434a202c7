"""The request and the answer of a new key."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StringConstraints,
)

from shared.domain.bounded_text import line, visible

LABEL_MAX = 200


class CreateKey(BaseModel):
    """The body of a request for a key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=LABEL_MAX),
        AfterValidator(line),
        AfterValidator(visible),
    ]
    """What it is for, such as the host that will send."""


class CreatedKey(BaseModel):
    """A new key of a source: this answer is the only one that shows it."""

    model_config = ConfigDict(frozen=True)

    source: str
    type: str
    """How its documents are read: the end of `/v1/integrations/{type}`."""
    id: str
    label: str
    created_at: AwareDatetime
    key: str
    """The key itself. Only its hash is kept."""
