"""Bodies of a format of which some fields are anything at all."""

from typing import Any

from hypothesis import strategies as st

from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from tests.unit.intake.commands.scenario import NINE

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=8,
)


def bent(body: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return bodies with up to three of the fields of `body` replaced."""
    names = st.dictionaries(st.sampled_from(sorted(body)), JSON, min_size=1, max_size=3)
    return names.map(lambda other: {**body, **other})


def never_raises(kind: str, *documents: object) -> None:
    """Read documents, whatever is heard of them."""
    for document in documents:
        assert ADAPTERS[kind](document, InboundDocument("monitor", NINE))
