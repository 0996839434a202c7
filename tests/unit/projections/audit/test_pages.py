"""The small rules of the screens for auditors."""

from datetime import date

import pytest

from services.projections.web.audit.chain_endpoints import body_of
from services.projections.web.audit.sample_endpoints import Neighbours, neighbours
from services.projections.web.audit.views import actor_of, quarter_of


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2025, 1, 1), date(2025, 1, 1), date(2025, 3, 31)),
        (date(2024, 2, 29), date(2024, 1, 1), date(2024, 3, 31)),
        (date(2025, 5, 31), date(2025, 4, 1), date(2025, 6, 30)),
        (date(2025, 12, 31), date(2025, 10, 1), date(2025, 12, 31)),
    ],
)
def test_a_quarter_is_three_whole_months(day: date, first: date, last: date) -> None:
    assert (quarter_of(day).first, quarter_of(day).last) == (first, last)


@pytest.mark.parametrize(
    ("typed", "actor"),
    [
        ("costa", "person:costa"),
        (" costa ", "person:costa"),
        ("system:intake", "system:intake"),
        ("", ""),
    ],
)
def test_an_actor_may_be_typed_as_the_id_of_a_person(typed: str, actor: str) -> None:
    assert actor_of(typed) == actor


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ({"after": "", "upto": " 20 "}, {"upto": 20}),
        ({"after": "0"}, {"after": 0}),
        ({"after": "ten"}, {"after": "ten"}),
        ({"upto": "9" * 30}, {"upto": "9" * 30}),
    ],
)
def test_a_position_that_is_not_a_number_is_left_to_the_api(
    form: dict[str, str], body: dict[str, object]
) -> None:
    assert body_of(form) == body


def test_an_incident_of_a_sample_leads_to_those_beside_it() -> None:
    refs = ["INC-000003", "INC-000001", "INC-000002"]

    assert neighbours(refs, refs[0]) == Neighbours(1, 3, None, refs[1])
    assert neighbours(refs, refs[1]) == Neighbours(2, 3, refs[0], refs[2])
    assert neighbours(refs, refs[2]) == Neighbours(3, 3, refs[1], None)
    assert neighbours(refs, "INC-000009") is None
