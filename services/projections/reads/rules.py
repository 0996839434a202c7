"""What is recorded of an answer: who read which records, and whether each time."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.projections.reads.addresses import Words
from shared.reads import Read, Request, Served

FIRST_PAGE_MAX = 50
"""A longer page of a list is more than a screen: each of its records is noted."""
_LATER = frozenset({"cursor", "before", "after"})
"""Parameters of a page that is not the first: each of its records is noted."""
_REF = r"(?:INC|PRB|CHG)-(?:[0-9]{1,3}-)?[0-9]{6,12}"
_NAMED = ("ref", "incident", "id", "stream")
"""The fields by which an answer names what it shows; others only refer to a record."""
_IN_JSON = re.compile(
    rf'"(?:{"|".join(_NAMED)})":\s*"(?:[a-z]+-)?({_REF})"'.encode(), re.ASCII
)
_IN_CELL = re.compile(rf"(?:[a-z]+-)?({_REF})", re.ASCII)
_ROWS = ("text/csv", "application/jsonl")


class Answered(NamedTuple):
    """An answer, and the request for it."""

    reader: str
    path: str
    given: Mapping[str, str]
    """The parameters in the path."""
    query: Mapping[str, str]
    media: str
    body: bytes
    named: Sequence[str]
    """The records that the endpoint said it shows."""


def recorded(
    words: Words, answered: Answered, at: datetime
) -> tuple[Sequence[Read], Request | None]:
    """Return what somebody read by an answer; a request if each one is recorded."""
    served, always = _kind(words, answered)
    of = words.of.format(**answered.given) if words.of else None
    if always:
        shown = sorted({*_shown(answered), *([of] if of else [])})
        return (), Request(answered.reader, served, answered.path, shown, at)
    records = [of] if of else []
    if of is None or (words.served == "list" and _is_long(answered.query)):
        records = sorted({*records, *answered.named, *_shown(answered)})
    return [Read(answered.reader, each, served, at) for each in records], None


def _kind(words: Words, answered: Answered) -> tuple[Served, bool]:
    """Return what is served, and whether each request for it is recorded."""
    if words.always:
        return words.served, True
    if answered.media.partition(";")[0] in _ROWS:
        return "export", True
    if words.served == "list" and answered.query.get("q"):
        return "search", True
    return words.served, False


def _is_long(query: Mapping[str, str]) -> bool:
    limit = query.get("limit", "1")
    is_short = re.fullmatch("[0-9]{1,3}", limit) and int(limit) <= FIRST_PAGE_MAX
    return not is_short or not _LATER.isdisjoint(query)


def _shown(answered: Answered) -> set[str]:
    """Return the records that are named in an answer."""
    if answered.media.startswith("text/csv"):
        return _in_table(answered.body.decode())
    return {found.decode() for found in _IN_JSON.findall(answered.body)}


def _in_table(text: str) -> set[str]:
    found: set[str] = set()
    for row in csv.DictReader(io.StringIO(text)):
        for name, cell in row.items():
            if name and name.rpartition(".")[2] in _NAMED:
                found.update(_IN_CELL.findall(cell or ""))
    return found
