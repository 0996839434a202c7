"""A policy with thousands of services is checked in one pass, and asked by look-up."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.intake.policy.expansion import expanded
from shared.domain.policy.calendars import HOLIDAYS_MAX
from shared.domain.policy.contracts import Contract, Service
from shared.domain.policy.cross_checks import HINTS_MAX
from shared.domain.policy.document import Policy
from shared.domain.policy.validation import read
from shared.domain.sla import promised
from shared.domain.working_time import hours_of
from shared.mistake import Mistake
from tests.support.builders.large_policies import large_text

AT = datetime(2025, 7, 1, 9, tzinfo=UTC)
THOUSANDS = 5_000


class Counted(str):
    """A name that counts how often it is compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str(self) == other if type(other) is str else self is other

    __hash__ = str.__hash__


def policy_of(services: int, holidays: int) -> Policy:
    policy = read(large_text(services, holidays))
    assert isinstance(policy, Policy), [str(each) for each in policy][:3]
    whole = expanded(policy, date(2025, 7, 1))
    assert isinstance(whole, Policy), whole
    return whole


def counted(policy: Policy) -> Policy:
    """Return `policy` with names of services that count comparisons."""
    services: dict[str, Service] = {
        Counted(name): each for name, each in policy.services.items()
    }
    contracts: dict[str, Contract] = {
        name: each.model_copy(update={"services": tuple(map(Counted, each.services))})
        for name, each in policy.contracts.items()
    }
    return policy.model_copy(update={"services": services, "contracts": contracts})


def comparisons(policy: Policy, service: str) -> int:
    """Return how many names one decision compares, after the first has been made."""
    asked: dict[str, Any] = {"client": None, "priority": "p1", "reported_at": AT}
    assert promised(policy, service, **asked)
    Counted.compared = 0
    policy.for_signal("demo", service, "critical")
    assert promised(policy, service, **asked)
    return Counted.compared


def test_a_decision_compares_no_more_names_in_a_large_catalogue() -> None:
    few = comparisons(counted(policy_of(5, 5)), "service-00004")
    many = comparisons(counted(policy_of(THOUSANDS, 5)), "service-04999")
    assert many <= few + 8  # a hash table may try several places


def test_the_hours_of_a_calendar_are_made_ready_once() -> None:
    calendar = policy_of(5, THOUSANDS).calendars["jour"]
    assert hours_of(calendar) is hours_of(calendar)


def test_a_copy_of_a_calendar_has_its_own_hours() -> None:
    calendar = policy_of(5, 5).calendars["jour"]
    first = hours_of(calendar)
    shorter = calendar.model_copy(update={"holidays": ()})
    assert first.closed
    assert hours_of(shorter).closed == ()


def test_every_wrong_name_is_said_and_the_first_with_what_was_meant() -> None:
    text = large_text(THOUSANDS, 5).replace("[desk, ops]", "[desk, opps]")
    found = read(text)
    assert isinstance(found, list)
    assert len(found) == THOUSANDS
    hinted = [each for each in found if "did you mean `ops`?" in each.sentence]
    assert len(hinted) == HINTS_MAX
    assert all(isinstance(each, Mistake) and each.line for each in found)


@pytest.mark.parametrize("written", ["closed", "holidays"])
def test_more_closed_days_than_a_calendar_holds_are_refused(written: str) -> None:
    policy = read(large_text(5, 5))
    assert isinstance(policy, Policy)
    days = tuple(
        f"2025-01-02 {hour:02}:{minute:02}-{hour:02}:{minute + 1:02}"
        for hour in range(24)
        for minute in range(59)
    )
    many = tuple(
        day.replace("2025", str(year)) for year in range(2025, 2045) for day in days
    )
    calendar = policy.calendars["jour"].model_copy(update={written: many})
    crowded = policy.model_copy(update={"calendars": {"jour": calendar}})
    wrong = expanded(crowded, date(2025, 7, 1))
    assert isinstance(wrong, list)
    assert f"at most {HOLIDAYS_MAX}" in wrong[0][1]
