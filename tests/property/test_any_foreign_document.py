"""Whatever a stranger sends, each adapter tells what it heard and never breaks."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.adapters import ADAPTERS
from services.intake.adapters.post import Post
from services.intake.cloud_reading import cloud_document
from services.intake.signals import Ignored, Rejected, Signal
from shared.problem import Problem
from tests.unit.intake.spec import NINE

_NAMES = """
action alert alias message priority createdAt details tags event
messages event_type event_action type data incident incident_key id
title payload summary source severity dedup_key custom_details
timestamp links specversion subject time data_base64 severitynumber
severitytext Create trigger resolve incident.triggered pagey.ping 1.0
critical P3
"""
_WORDS = st.sampled_from(_NAMES.split())
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | _WORDS
_JSON = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_WORDS | st.text(), inner, max_size=8)
    ),
    max_leaves=30,
)
_HEADERS = st.dictionaries(
    st.sampled_from(["ce-id", "ce-source", "ce-type", "ce-specversion", "ce-subject"]),
    st.text() | _WORDS,
) | st.builds(
    lambda kind: {"content-type": kind},
    st.sampled_from(["application/cloudevents+json", "text/plain", "application/json"]),
)


@pytest.mark.parametrize("name", sorted(ADAPTERS))
@given(document=_JSON, headers=_HEADERS)
def test_any_document_is_heard(
    name: str, document: object, headers: dict[str, str]
) -> None:
    heard = ADAPTERS[name](document, Post("prom", NINE, headers=headers))

    for each in heard:
        assert isinstance(each, Signal | Rejected | Ignored)
        if isinstance(each, Signal):
            assert each.source == "prom"
            orjson.dumps(each.model_dump(mode="json"))


@given(body=st.binary() | _JSON.map(lambda d: repr(d).encode()), headers=_HEADERS)
def test_any_body_is_a_document_or_a_refusal(
    body: bytes, headers: dict[str, str]
) -> None:
    with suppress(Problem):
        cloud_document(body, headers)
