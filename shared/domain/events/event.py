"""The base class of all events, and the marking of personal fields.

An event is a fact, named in the past tense and kept for ever: give a new field a
default, never rename a `type`, and never change the meaning of a field.
"""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class Personal:
    """Marks a field that is stored encrypted with the key of `Event.whose`."""


Text = Annotated[str, Personal()]
Labels = Annotated[dict[str, str], Personal()]

_NAME = r"[A-Za-z0-9._-]{1,128}"
Actor = Annotated[
    str,
    Field(
        pattern=rf"^(person|source|system):{_NAME}$",
        description="Who acts: `person:<id>`, `source:<id>` or `system:<service>`.",
    ),
]


def is_source(name: str) -> bool:
    """Return whether `source:<name>` can be an actor."""
    return re.fullmatch(_NAME, name) is not None


FORGOTTEN = "[forgotten]"
"""The value of a personal field once its encryption key is destroyed."""


class Event(BaseModel):
    """A fact in one stream.

    `at` is the instant of the decision, by its writer's clock; when it was added to the
    log is the entry's `recorded_at`. `whose` names the key owner of its personal
    fields.
    """

    # A reader of an older version must ignore fields it does not know.
    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    by: Actor
    whose: Actor | None = None
