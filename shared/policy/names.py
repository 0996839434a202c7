"""The names a policy calls things by, and texts in several languages."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

# Also a token of a NATS subject and a step of a path: no dot, no blank.
Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"),
]
Person = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"),
]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Texts = Annotated[Mapping[Language, Sentence], Field(min_length=1)]
