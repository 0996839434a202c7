"""The hashes of one record: an incident, a note, a problem, a change, or external.

Of title and description only the newest words count; whatever else was said stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["incident", "solution", "problem", "change", "record"]
Hashes = frozenset[int]
NONE: Hashes = frozenset()
SAID_MAX = 20_000
"""The number of hashes of a record after which further texts are not indexed."""


@dataclass(frozen=True, slots=True)
class WordRow:
    """A record after its events, and what it is found by.

    `position` is that of the newest event of its own stream.
    """

    kind: Kind
    ref: str
    is_open: bool
    position: int
    owners: frozenset[str] = frozenset()
    """Whose words they are: once one of them is forgotten, the row is deleted."""
    title: Hashes = NONE
    description: Hashes = NONE
    topic: Hashes = NONE
    """Service, category and client."""
    said: Hashes = NONE
    """Contacts, messages, notes, reasons, labels; references and people."""


Rows = Mapping[Kind, WordRow]
"""The rows of a record, by kind: an incident has one, and one for its solution note."""
KINDS: tuple[Kind, ...] = get_args(Kind)
