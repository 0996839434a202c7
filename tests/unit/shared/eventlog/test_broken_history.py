"""A stream that cannot have happened is said to be broken, never guessed at."""

import pytest

from shared.domain.events.incident import IncidentAcknowledged
from shared.domain.incident import BrokenHistory, replay
from tests.support.strategies.histories import START, opened

REF = "INC-000042"
acknowledged = IncidentAcknowledged(incident=REF, at=START, by="person:paul", policy=1)


def test_nothing_is_no_incident() -> None:
    assert replay([]) is None


def test_nothing_happens_before_the_opening() -> None:
    with pytest.raises(BrokenHistory, match=r"incident.acknowledged before .* INC-0"):
        replay([acknowledged])


def test_nothing_is_opened_twice() -> None:
    with pytest.raises(BrokenHistory, match="INC-000042 was opened twice"):
        replay([opened(REF), acknowledged, opened(REF)])
