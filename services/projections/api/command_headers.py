"""What a command says in headers: which one it is, and what state it is meant for."""

import re
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from services.projections.api.limits import IDEMPOTENCY_KEY_MAX
from shared.access import Caller
from shared.problem import Problem

NAMESPACE = UUID("6f1d3c1e-7a55-4b0e-9b1f-0d1e5f3b7c52")
"""Of command ids: with it, the same token and key always give the same id."""

_KEY = re.compile(rf"[\x21-\x7e]{{1,{IDEMPOTENCY_KEY_MAX}}}")
_VERSION = re.compile(r'(?:W/)?"?(\d{1,18})"?')


class CommandHeaders(BaseModel):
    """The headers of a command; those of HTTP itself are none of ours."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    idempotency_key: str | None = None
    """Makes a repeat safe: the same key gets the same answer, for a week."""
    if_match: str | None = None
    """The version the incident must have, as `ETag` gave it; else 412."""


def command_id(caller: Caller, key: str | None) -> UUID | None:
    """Return the id of a command from the caller's key; `Problem` 422 for a bad key."""
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise _malformed(
            "Idempotency-Key",
            f"1 to {IDEMPOTENCY_KEY_MAX} printable characters without blanks",
        )
    return uuid5(NAMESPACE, f"{caller.token_id}|{key}")


def version(if_match: str | None) -> int | None:
    """Return the version in `If-Match`; `Problem` 422 where it is none."""
    if if_match is None or if_match == "*":
        return None
    found = _VERSION.fullmatch(if_match)
    if found is None:
        raise _malformed("If-Match", 'a version, such as "7"')
    return int(found[1])


def _malformed(header: str, wanted: str) -> Problem:
    return Problem(
        422,
        f"{header} is not {wanted}",
        errors=[{"loc": ["header", header], "msg": f"not {wanted}", "type": "header"}],
    )
