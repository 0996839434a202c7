"""`INC-000042`: what people say to each other on the telephone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.domain.identifiers import (
    IncidentRef,
    incident_of,
    incident_ref,
    incident_stream,
    is_incident_ref,
)

refs: TypeAdapter[str] = TypeAdapter(IncidentRef)


@given(st.integers(0, 10**12 - 1))
def test_every_number_has_a_reference_that_leads_back_to_it(number: int) -> None:
    ref = incident_ref(number)

    assert refs.validate_python(ref) == ref
    assert is_incident_ref(ref)
    assert incident_of(incident_stream(ref)) == ref
    assert int(ref.rpartition("-")[2]) == number


def test_numbers_below_a_million_have_six_digits() -> None:
    assert incident_ref(42) == "INC-000042"
    assert incident_ref(1_000_000) == "INC-1000000"


def test_there_is_room_for_a_shard() -> None:
    assert is_incident_ref("INC-2-000042")
    assert incident_of("incident-INC-2-000042") == "INC-2-000042"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "INC-42",
        "inc-000042",
        "INC-000042\n",
        " INC-000042",
        "INC-0000-000042",
        "INC-0000000000042",
        "INC-٠٠٠٠٤٢",
        "PRB-000042",
    ],
)
def test_anything_else_is_no_reference(text: str) -> None:
    assert not is_incident_ref(text)
    with pytest.raises(ValidationError):
        refs.validate_python(text)


def test_other_streams_are_no_incidents() -> None:
    assert incident_of("sla-INC-000042") is None
    assert incident_of("policy-desk") is None
    assert incident_of("incidental-INC-000042") is None
