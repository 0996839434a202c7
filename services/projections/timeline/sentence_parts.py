"""What sentences are made of, in any language."""

from collections.abc import Mapping

Part = str | tuple[str, str]
"""Said if all it names holds something; of a pair, if its first, a field, does."""

Words = Mapping[str, Mapping[str, str]]
"""By field and value: what is said for one of the desk's own names."""
