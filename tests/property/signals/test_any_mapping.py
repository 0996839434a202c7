"""Any mapping over any document gives signals or sentences, and never raises."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.records.signal import Signal
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.mapping import read
from services.intake.signals.schemas import Ignored, Rejected
from shared.domain.policy.mappings import EXPRESSION_MAX, Mapped, mistakes_in
from tests.unit.intake.commands.scenario import NINE

NAMES = ["a", "b", "state", "time"]
json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["up", "DOWN", "2025-06-30T09:00:00", "1751266800", "nan"]),
    lambda each: (
        st.lists(each, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES), each, max_size=4)
    ),
    max_leaves=12,
)
expressions = st.recursive(
    st.sampled_from([*NAMES, "@", "[0]", "[*]", "*", "[]", "`1`", "'x'", "[::2]"]),
    lambda each: st.one_of(
        st.builds("{}.{}".format, each, st.sampled_from(NAMES)),
        st.builds("{} | {}".format, each, each),
        st.builds("{} || {}".format, each, each),
        st.builds("[{}, {}]".format, each, each),
        st.builds("{{a: {}, b: {}}}".format, each, each),
        st.builds("({})[?{} > {}]".format, each, each, each),
        st.builds("join(', ', {})".format, each),
        st.builds("contains({}, {})".format, each, each),
        st.builds("sort_by({}, &{})".format, each, each),
        st.builds("map(&{}, {})".format, each, each),
        st.builds(
            "{}({})".format,
            st.sampled_from(
                ["to_number", "to_string", "keys", "avg", "max", "sort", "abs", "ceil"]
            ),
            each,
        ),
    ),
    max_leaves=6,
).filter(lambda text: len(text) <= EXPRESSION_MAX)
acts = st.sampled_from(["trigger", "resolve", "acknowledge", "ignore"])
mappings = st.fixed_dictionaries(
    {
        "title": expressions,
        "action": st.fixed_dictionaries(
            {},
            optional={
                "from": expressions,
                "values": st.dictionaries(st.sampled_from(["up", "down", "1"]), acts),
                "default": acts,
            },
        ),
    },
    optional={
        "elements": expressions,
        "severity": st.fixed_dictionaries({"from": expressions}),
        "dedup_key": expressions,
        "event_id": expressions,
        "service": expressions,
        "occurred_at": expressions,
        "time_format": st.sampled_from(["auto", "epoch_s", "epoch_ms", "%Y-%m-%d"]),
        "labels": st.dictionaries(st.sampled_from(NAMES), expressions, max_size=2),
        "links": expressions,
        "details": expressions,
    },
)


@given(mappings, json)
@example({"title": "to_number(a)", "action": {"default": "trigger"}}, {"a": "nan"})
@example({"title": "ceil(to_number(a))", "action": {}}, {"a": "inf"})
def test_any_mapping_reads_any_document(written: dict[str, Any], document: Any) -> None:
    mapping = Mapped.model_validate(written)

    heard = read(mapping, document, InboundDocument("s", NINE, "e"))

    assert heard
    for index, each in enumerate(heard):
        assert isinstance(each, Signal | Rejected | Ignored)
        if not isinstance(each, Signal):
            assert each.index == index
            assert each.reason
    assert heard == read(mapping, document, InboundDocument("s", NINE, "e"))


@given(st.text(max_size=EXPRESSION_MAX) | expressions)
def test_any_text_is_an_expression_or_is_told_why_not(text: str) -> None:
    assert all(mistakes_in(text))


def test_a_mapping_of_words_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValidationError):
        Mapped.model_validate({"title": "a", "action": {}, "titel": "b"})
