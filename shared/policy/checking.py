"""From plain values to a policy, or everything that is wrong with them, at once."""

from collections import Counter
from collections.abc import Iterator, Mapping

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.mistake import Path, Wrong
from shared.policy.contact_details import contact_detail_in
from shared.policy.document import Policy
from shared.policy.explaining import explained
from shared.policy.languages import missing_texts
from shared.policy.mappings import unmappable
from shared.policy.references import dangling
from shared.policy.selecting import everything
from shared.policy.world import unknown_to_the_world
from shared.yaml12 import Plain

DOCUMENT_MAX = 16 * 1024 * 1024
"""Bytes of the canonical document, also with every closed day as a date."""

_FORBIDDEN = (
    "does not belong in a policy, which is kept for ever: write the person's id, "
    "and put the rest into the directory with `permanence people import`"
)

Location = tuple[int | str, ...]


def check(document: Plain) -> Policy | list[Wrong]:
    """Return the policy `document` is, or each wrong path with a sentence for it."""
    wrong: list[Wrong] = []
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        within = Counter(
            one["loc"][:depth] for one in found for depth in range(len(one["loc"]) + 1)
        )
        wrong = [
            (_path(one, document), explained(one, Policy))
            for one in found
            if not _is_aftermath(one, within)
        ]
    wrong += [*_kept_for_ever(document), *dangling(document)]
    wrong += [*missing_texts(document), *unknown_to_the_world(document)]
    wrong += unmappable(document)
    if policy and not wrong:
        return too_large(policy) or policy
    return wrong


def _is_aftermath(error: ErrorDetails, within: Mapping[Location, int]) -> bool:
    """Tell whether `error` only says that nothing is left of a wrong list.

    `within` says how many errors there are at a location and within it.
    """
    return error["type"] == "too_short" and within[error["loc"]] > 1


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


def too_large(policy: Policy) -> list[Wrong]:
    """Return what is wrong with a policy that is longer than a document may be."""
    size = len(orjson.dumps(policy.document()))
    if size <= DOCUMENT_MAX:
        return []
    return [
        ((), f"{size} bytes as a document, at most {DOCUMENT_MAX}: make it shorter")
    ]
