"""From plain values to a policy, or everything that is wrong with them, at once."""

import json
from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.mistake import Path
from shared.policy.contact_details import contact_detail_in
from shared.policy.document import Policy
from shared.policy.explaining import explained
from shared.policy.languages import missing_texts
from shared.policy.mappings import unmappable
from shared.policy.references import dangling
from shared.policy.selecting import everything
from shared.policy.world import unknown_to_the_world
from shared.yaml12 import Plain

DOCUMENT_MAX = 56 * 1024
"""Bytes of the canonical document: an event holds it, and an event has a limit."""
EXPANDED_MAX = 62 * 1024
"""Of the same with every closed day as a date."""

_FORBIDDEN = (
    "does not belong in a policy, which is kept for ever: write the person's id, "
    "and put the rest into the directory with `permanence people import`"
)

Wrong = tuple[Path, str]


def check(document: Plain) -> Policy | list[Wrong]:
    """Return the policy `document` is, or each wrong path with a sentence for it."""
    wrong: list[Wrong] = []
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        wrong = [
            (_path(one, document), explained(one))
            for one in found
            if not _is_aftermath(one, found)
        ]
    wrong += [*_kept_for_ever(document), *dangling(document)]
    wrong += [*missing_texts(document), *unknown_to_the_world(document)]
    wrong += unmappable(document)
    if policy and not wrong:
        return too_large(policy, DOCUMENT_MAX) or policy
    return wrong


def _is_aftermath(error: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Tell whether `error` only says that nothing is left of a wrong list."""
    depth = len(error["loc"])
    return error["type"] == "too_short" and any(
        other["loc"][:depth] == error["loc"] and other is not error for other in found
    )


def _path(error: ErrorDetails, document: Plain) -> Path:
    """Return where `error` is in the document: pydantic also names its own branches."""
    path: list[str | int] = []
    here = document
    for step in error["loc"]:
        if isinstance(here, dict) and step in here:
            here = here[str(step)]
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            continue
        path.append(step)
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return tuple(path)


def _kept_for_ever(document: Plain) -> Iterator[Wrong]:
    for path, value in everything(document):
        kind = contact_detail_in(value) if isinstance(value, str) else None
        if kind:
            yield path, f"{kind} {_FORBIDDEN}"


def too_large(policy: Policy, bytes_max: int) -> list[Wrong]:
    """Return what is wrong with a policy that is longer than an event may be."""
    size = len(json.dumps(policy.document(), ensure_ascii=False).encode())
    if size <= bytes_max:
        return []
    return [((), f"{size} bytes as an event, at most {bytes_max}: make it shorter")]
