"""What every part of a policy has in common: frozen, and no word it does not know.

The names a policy calls things by, and texts in several languages.

What follows from a part of a policy, worked out once and kept as long as the part.

A decision asks for a calendar's hours or a service's contracts; finding them again in a
large policy would make each decision slower with every service.

Whole numbers that count something: neither `true` nor `"3"` is one.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, TypeVar
from weakref import finalize

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints


class Clause(BaseModel):
    """One mapping of the document."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


# Also a token of a NATS subject and a step of a path: no dot, no blank.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
PERSON = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
LANGUAGE = r"^[a-z]{2}$"

Name = Annotated[str, StringConstraints(pattern=NAME), Field(examples=["a-name"])]
Person = Annotated[
    str, StringConstraints(pattern=PERSON), Field(examples=["person-id"])
]
Language = Annotated[str, StringConstraints(pattern=LANGUAGE), Field(examples=["fr"])]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Texts = Annotated[Mapping[Language, Sentence], Field(min_length=1)]


Part = TypeVar("Part")
Answer = TypeVar("Answer")


def derived(work: Callable[[Part], Answer]) -> Callable[[Part], Answer]:
    """Return `work`, called once for each part of a policy: parts are frozen.

    Parts are told apart by identity: comparing or hashing a large one takes as long as
    reading it. The answer must not refer to the part itself, which would never go away.
    """
    held: dict[int, Answer] = {}

    @wraps(work)
    def answer(part: Part) -> Answer:
        key = id(part)
        if key in held:
            return held[key]
        found = held[key] = work(part)
        finalize(part, held.pop, key, None).atexit = False
        return found

    return answer


Count = Annotated[int, Strict(), Field(ge=1, le=1000)]
Days = Annotated[int, Strict(), Field(ge=1, le=366)]
