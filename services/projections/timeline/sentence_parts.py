"""What sentences are made of, in any language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Part = str | tuple[str, str]
"""Said if all it names holds something; of a pair, if its first, a field, does."""

Words = Mapping[str, Mapping[str, str]]
"""By field and value: what is said for one of the desk's own names."""


@dataclass(frozen=True, slots=True)
class Style:
    """How sentences write instants and people, where their reader asks for more."""

    zone: str | None = None
    """IANA; instants are then as short as beside a note of their zone. None: in UTC."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of people, by id: who has one is named, with the id beside."""


PLAIN = Style()
