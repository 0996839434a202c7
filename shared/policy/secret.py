"""Secrets stand in the environment or in a file; a policy only says where."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_PATTERN = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:\S+)$"


def _reference(written: str) -> str:
    if not re.fullmatch(_PATTERN, written):
        # The words themselves stay out of the sentence: it may end in a log.
        raise ValueError(
            "a secret does not belong in a policy, which is kept for ever: "
            "put it elsewhere, write `env:NAME` or `file:PATH` here, and change it"
        )
    return written


Secret = Annotated[
    str,
    AfterValidator(_reference),
    Field(json_schema_extra={"pattern": _PATTERN}, examples=["env:NAME", "file:PATH"]),
]
