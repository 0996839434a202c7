"""The headers of a command: idempotency key and expected version."""

import re

from pydantic import BaseModel, ConfigDict

from shared.http.problem_details import HttpError
from shared.messaging.commands import IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_MAX

_KEY = re.compile(IDEMPOTENCY_KEY)
_VERSION = re.compile(r'(?:W/)?"?(\d{1,18})"?')


class CommandHeaders(BaseModel):
    """The headers that commands have in addition to those of HTTP."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    idempotency_key: str | None = None
    """Makes a repeat safe: the same key gets the same answer, for a week."""
    if_match: str | None = None
    """The version that the incident must have, from `ETag`; otherwise 412."""


def idempotency_key(key: str | None) -> str | None:
    """Return the caller's key, None without one; `HttpError` 422 if malformed."""
    if key is not None and not _KEY.fullmatch(key):
        raise _malformed(
            "Idempotency-Key",
            f"1 to {IDEMPOTENCY_KEY_MAX} printable characters without blanks",
        )
    return key


def version(if_match: str | None) -> int | None:
    """Return the version in `If-Match`; `HttpError` 422 if it is malformed."""
    if if_match is None or if_match == "*":
        return None
    found = _VERSION.fullmatch(if_match)
    if found is None:
        raise _malformed("If-Match", 'a version, such as "7"')
    return int(found[1])


def _malformed(header: str, wanted: str) -> HttpError:
    return HttpError(
        422,
        f"{header} is not {wanted}",
        errors=[{"loc": ["header", header], "msg": f"not {wanted}", "type": "header"}],
    )
