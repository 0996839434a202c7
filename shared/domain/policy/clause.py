"""The base class of all parts of a policy, with common types and a cache.

Parts are frozen and reject unknown fields. `derived` caches what is computed from a
part for as long as the part exists: a decision needs a calendar's hours or a service's
contracts, and computing them again in a large policy would make each decision slower.
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


# Also a token of a NATS subject and a segment of a path: no dots, no spaces.
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
    """Return a version of `work` that caches its result for each part of a policy.

    Parts are distinguished by identity: comparing or hashing a large one takes as long
    as reading it. The result must not refer to the part, which would then never be
    freed.
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
