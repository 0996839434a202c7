"""A person declares their own interventions, once, and soon afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.intake.interventions.rules import declared, replay, short_rests, withdrawn
from shared.domain.commands.intervention import (
    DeclareIntervention,
    WithdrawIntervention,
)
from shared.domain.refusal import Refused

NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
NADIA = "person:nadia"


def command(**given: Any) -> DeclareIntervention:
    whole = {"person": "nadia", "start": NOW - 8 * HOUR, "end": NOW - 6 * HOUR}
    return DeclareIntervention.model_validate(whole | given)


def test_what_is_declared_once_is_not_declared_again() -> None:
    events = declared(command(), {}, 0, NADIA, NOW)

    assert [event.intervention for event in events] == ["nadia.1"]
    assert declared(command(), replay(events), 1, NADIA, NOW) == ()


@pytest.mark.parametrize(
    ("given", "by", "says"),
    [
        ({}, "person:sylvie", "only the person"),
        ({"end": NOW - 9 * HOUR}, NADIA, "not after `start`"),
        ({"end": NOW + HOUR}, NADIA, "not ended yet"),
        ({"start": NOW - 31 * HOUR}, NADIA, "24 hours at most"),
        (
            {"start": NOW - 2_300 * HOUR, "end": NOW - 2_299 * HOUR},
            NADIA,
            "more than 92 days ago",
        ),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], by: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        declared(command(**given), {}, 0, by, NOW)


def test_an_overlap_is_refused_until_the_other_is_withdrawn() -> None:
    first = declared(command(), {}, 0, NADIA, NOW)
    longer = command(end=NOW - 5 * HOUR)
    with pytest.raises(Refused, match=r"overlaps nadia\.1"):
        declared(longer, replay(first), 1, NADIA, NOW)

    gone = WithdrawIntervention(person="nadia", intervention="nadia.1")
    held = replay([*first, *withdrawn(gone, replay(first), NADIA, NOW)])

    assert declared(longer, held, 2, NADIA, NOW)[0].intervention == "nadia.3"
    with pytest.raises(Refused, match="withdrawn before"):
        withdrawn(gone, held, NADIA, NOW)


def test_a_rest_under_eleven_hours_is_a_warning_and_no_refusal() -> None:
    early = command(start=NOW - 20 * HOUR, end=NOW - 18 * HOUR)
    first = declared(early, {}, 0, NADIA, NOW)
    second = declared(command(), replay(first), 1, NADIA, NOW)

    assert short_rests(replay([*first, *second])) == ["nadia.1"]
