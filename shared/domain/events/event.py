"""What every event has in common, and which of its words are personal.

An event is a fact, named in the past tense and kept for ever: give a new field a
default, never rename a `type`, never give one a new meaning.
"""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class Personal:
    """Marks a field that is stored encrypted under the key of `Event.whose`."""


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
    """Tell whether `source:<name>` can be an actor."""
    return re.fullmatch(_NAME, name) is not None


FORGOTTEN = "[forgotten]"
"""What a personal field reads as once the key that opens it is destroyed."""


class Event(BaseModel):
    """A fact about one stream.

    `at` is the instant of the decision (its writer's clock); when it entered the log
    is the entry's `recorded_at`. `whose` names the key owner of its personal fields.
    """

    # A reader older than its writer must not trip over a field it does not know.
    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    by: Actor
    whose: Actor | None = None
