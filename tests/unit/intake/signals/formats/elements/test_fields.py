"""Fields that may be missing, numbers or unrendered; severities; keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.records.signal import DEDUP_KEY_MAX, EVENT_ID_MAX
from services.intake.signals.formats.elements.fields import (
    first_text,
    inner,
    rendered,
    text,
    texts,
)
from services.intake.signals.formats.elements.severities import severity_of
from services.intake.signals.formats.elements.upstream_alert import event_id_of, key_of
from shared.domain.policy.priorities import Severity

UNRENDERED = [
    "{{host.name}}",
    "{{ $labels.instance }}",
    "${HOST}",
    "{HOST.NAME}",
    "{EVENT.TAGS.service}",
    "$SERVICEDESC$",
    "$HOSTADDRESS:web$",
    "$host.name$",
    "*alertFriendlyDuration*",
    "*monitorURL*",
    "*UNKNOWN*",
]


@pytest.mark.parametrize(
    ("said", "means"), [(" web ", "web"), (7, "7"), (0, "0"), (7.5, "7.5"), ("0", "0")]
)
def test_a_text_or_a_number_says_something(said: object, means: str) -> None:
    assert text(said) == means


@pytest.mark.parametrize("said", [None, "", " \n", True, [], {}, ["a"], *UNRENDERED])
def test_nothing_empty_or_unrendered_says_nothing(said: object) -> None:
    assert text(said) is None


@pytest.mark.parametrize(
    "said",
    [
        "*Down*",
        "5 $",
        "{a b}",
        "{{a}} on {{b}}",
        "$5 to 7$ off",
        "Web {{x}}",
        '{"a":1}',
    ],
)
def test_what_only_looks_like_a_template_is_text(said: str) -> None:
    assert text(said) == said


def test_of_several_fields_the_first_that_says_something_counts() -> None:
    fields = {"a": "", "b": "*alertDetails*", "c": 3, "d": "x"}

    assert first_text(fields, "missing", "a", "b", "c", "d") == "3"
    assert first_text(fields, "a", "b") is None


def test_labels_hold_what_is_said() -> None:
    fields = {"HOST": "web-1", "GROUP": "", "N": 4}

    assert texts(fields, host="HOST", group="GROUP", count="N", more="X") == {
        "host": "web-1",
        "count": "4",
    }


def test_an_object_in_a_field_may_be_missing() -> None:
    assert inner({"a": {"b": 1}}, "a") == {"b": 1}
    assert inner({"a": "text"}, "a") == inner({}, "a") == {}


def test_details_leave_out_what_says_nothing() -> None:
    said: dict[str, object] = {
        "a": "",
        "b": "*alertDetails*",
        "c": None,
        "d": False,
        "e": [],
        "f": "x",
    }

    assert rendered(said) == {"d": False, "e": [], "f": "x"}


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("CRITICAL", "critical"),
        ("Disaster", "critical"),
        (" major ", "error"),
        ("Warn", "warning"),
        ("informational", "info"),
        ("P3", "warning"),
        ("Sev3", "info"),
        ("page", None),
        ("ok", None),
        ("", None),
        (3, None),
        (None, None),
        (["critical"], None),
    ],
)
def test_many_words_are_four_severities_or_none(
    word: object, severity: str | None
) -> None:
    assert severity_of(word) == severity


def test_a_system_means_its_own_by_its_words() -> None:
    own: dict[str, Severity | None] = {
        "average": "warning",
        "high": "critical",
        "3": "info",
        "low": None,
    }

    assert severity_of("Average", own) == "warning"
    assert severity_of(3, own) == "info"
    assert severity_of("HIGH", own) == "critical"
    assert severity_of("low", own) is None
    assert severity_of("fatal", own) == "critical"


def test_a_key_can_be_read() -> None:
    assert key_of("web-1", "HTTP") == "web-1/HTTP"
    assert key_of("https://example.com/x") == "https://example.com/x"


PARTS = st.lists(st.text(max_size=300), min_size=2, max_size=2)


@given(PARTS, PARTS)
def test_other_parts_are_another_key_that_fits(one: list[str], two: list[str]) -> None:
    assert (key_of(*one) == key_of(*two)) is (one == two)
    assert 0 < len(key_of(*one)) <= DEDUP_KEY_MAX
    assert 0 < len(event_id_of(*one)) <= EVENT_ID_MAX


@pytest.mark.parametrize("said", ["x" * 600, "a\x00b", "a\nb", "\ud800", ""])
def test_what_cannot_be_a_key_is_told_by_its_digest(said: str) -> None:
    assert key_of(said).startswith("sha256:")
