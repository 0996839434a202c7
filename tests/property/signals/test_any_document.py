"""Whatever a source sends, every adapter makes of it what can be taken, or says why.

Most documents that chance makes up are refused at the first look; so good bodies are
taken, and a few of their fields at any depth dropped, renamed or replaced.
"""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Ignored, Rejected
from tests.support.builders.format_bodies import GOOD
from tests.support.examples import examples

NOW = datetime(2025, 6, 30, 7, tzinfo=UTC)
WORDS = st.sampled_from(
    ["", "*alertDetails*", "{{x}}", "0", "1", "ok", "down", "a\x00b", "é" * 2_000]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | WORDS
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.just("alerts"), inner, max_size=4)
    ),
    max_leaves=12,
)


def places(document: Any) -> list[Callable[[Any], None]]:
    """Return, for each field at any depth, what puts something else in its place."""
    found: list[Callable[[Any], None]] = []
    rooms = [document]
    while rooms:
        room = rooms.pop()
        inside = room.items() if isinstance(room, dict) else enumerate(room)
        for name, value in inside:
            found.append(partial(room.__setitem__, name))
            if isinstance(value, dict | list):
                rooms.append(value)
    return found


@st.composite
def spoilt(draw: st.DrawFn, good: dict[str, Any]) -> Any:
    """Give a good body with some of its fields replaced, and some dropped."""
    document = deepcopy(good)
    for _ in range(draw(st.integers(1, 4))):
        at = places(document)
        if at:
            draw(st.sampled_from(at))(draw(DOCUMENTS))
    for name in draw(st.sets(st.sampled_from(sorted(good)), max_size=2)):
        del document[name]
    return document


def taken(kind: str, document: object) -> None:
    """Require that each element is heard, and that each signal fits as it is."""
    heard = ADAPTERS[kind](document, InboundDocument("monitor", NOW))
    assert isinstance(heard, list)
    for each in heard:
        match each:
            case Signal():
                assert Signal(**each.model_dump()) == each
            case Rejected() | Ignored():
                assert each.reason
            case _:
                pytest.fail(f"{each!r} is nothing that can be heard")


def test_every_format_has_a_good_body() -> None:
    assert set(GOOD) == set(ADAPTERS)


# What it tells of is no trouble: a change that was made.
@pytest.mark.parametrize("kind", sorted(set(ADAPTERS) - {"pagerduty_changes"}))
def test_a_good_body_is_a_signal(kind: str) -> None:
    heard = ADAPTERS[kind](GOOD[kind], InboundDocument("monitor", NOW))

    assert [type(each) for each in heard] == [Signal] * len(heard)
    assert heard


@given(document=DOCUMENTS)
def test_any_document_is_heard_in_every_format(document: object) -> None:
    for kind in ADAPTERS:
        taken(kind, document)


@pytest.mark.parametrize("kind", sorted(ADAPTERS))
@examples(25)
@given(data=st.data())
def test_any_spoilt_body_is_heard(kind: str, data: st.DataObject) -> None:
    taken(kind, data.draw(spoilt(GOOD[kind])))
