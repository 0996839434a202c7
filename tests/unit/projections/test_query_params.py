"""An instant in a question: with its zone, or a day, which means its beginning."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from services.projections.api.query_params import InstantQuery


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2025-06-30", datetime(2025, 6, 30, tzinfo=UTC)),
        ("2025-06-30T09:38:00 02:00", datetime(2025, 6, 30, 7, 38, tzinfo=UTC)),
    ],
)
def test_it_is_understood(written: str, instant: datetime) -> None:
    assert InstantQuery.model_validate({"at": written}).at == instant


@pytest.mark.parametrize("written", ["2025-06-31", "2025-06-30T09:38:00", "1700-01-01"])
def test_it_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        InstantQuery.model_validate({"at": written})
