"""The names a policy calls things by, and texts in several languages."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

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
