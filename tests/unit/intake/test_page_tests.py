"""Who may test whose pages, and when; what answers a test."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.page_tests.rules import (
    Candidate,
    Requester,
    answered,
    requested,
    require_right,
)
from shared.domain.commands.page_test import RequestPageTest
from shared.domain.limits import Limits, Within
from shared.domain.page_test import PageTest
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from tests.support.builders.promises import VALMONT

MONDAY = datetime(2026, 11, 30, 10, tzinfo=UTC)
NIGHT = datetime(2026, 11, 30, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALWAYS_OPEN = VALMONT.model_copy(
    update={"desk": VALMONT.desk.model_copy(update={"calendar": "always"})}
)
ELSEWHERE = (Limits(teams=frozenset({"desk"})),)


def requester(
    who: str = "sylvie",
    at: datetime = MONDAY,
    policy: Policy = VALMONT,
    scope: Scope = "agent",
    within: Within = None,
) -> Requester:
    return Requester(f"person:{who}", at, {scope: within}, policy)


def bruno(zone: str = "Europe/Paris", *tests: PageTest, **more: Any) -> Candidate:
    known = {"is_known": True, "is_reachable": True} | more
    return Candidate("bruno", zone=zone, tests=tests, version=6, **known)


def tried(at: datetime, **more: Any) -> PageTest:
    return PageTest("PT-bruno.1", "bruno", None, "person:bruno", at, at + HOUR, **more)


def test_a_test_is_named_after_its_person_and_ends_within_an_hour() -> None:
    event = requested(requester(), bruno(), "astreinte")

    assert (event.test, event.person, event.schedule) == (
        "PT-bruno.7",
        "bruno",
        "astreinte",
    )
    assert (event.by, event.expires_at) == ("person:sylvie", MONDAY + HOUR)


@pytest.mark.parametrize(
    ("who", "schedule"),
    [
        (requester("bruno"), None),
        (requester("sylvie"), None),
        (requester("sylvie"), "astreinte"),
        (requester("root", scope="admin"), None),
    ],
    ids=["oneself", "manager by the policy", "of the schedule", "administrator"],
)
def test_people_test_themselves_and_managers_their_teams(
    who: Requester, schedule: str | None
) -> None:
    require_right(who, ["bruno"], schedule)


@pytest.mark.parametrize(
    "who",
    [
        requester("chloe"),
        requester("karim"),
        requester("marc", scope="manager", within=ELSEWHERE),
    ],
    ids=["colleague", "manager of another team", "limited to another team"],
)
def test_nobody_else_tests_a_colleague(who: Requester) -> None:
    with pytest.raises(Refused, match="only a manager of their team"):
        require_right(who, ["bruno"], "astreinte")


@pytest.mark.parametrize(
    ("at", "zone", "policy", "when"),
    [
        (NIGHT, "Europe/Paris", VALMONT, "2026-11-30T08:00Z"),
        (MONDAY, "America/Toronto", VALMONT, "2026-11-30T14:00Z"),
        (MONDAY - 2 * 24 * HOUR, "Europe/Paris", VALMONT, "2026-11-30T08:00Z"),
        (NIGHT, "Europe/Paris", ALWAYS_OPEN, "2026-11-30T07:00Z"),
    ],
    ids=["night", "night in their zone", "weekend", "a desk that never closes"],
)
def test_others_are_tested_in_their_working_hours_only(
    at: datetime, zone: str, policy: Policy, when: str
) -> None:
    with pytest.raises(Refused, match=when) as refused:
        requested(requester("sylvie", at, policy), bruno(zone), None)

    assert refused.value.code == "outside_hours"


def test_people_test_themselves_at_any_time() -> None:
    assert requested(requester("bruno", NIGHT), bruno(), None).at == NIGHT


@pytest.mark.parametrize(
    ("minutes", "code"), [((1, 2, 59), "too_many_tests"), ((1, 2, 60), None)]
)
def test_a_person_is_tested_three_times_within_an_hour(
    minutes: tuple[int, ...], code: str | None
) -> None:
    past = [tried(MONDAY - timedelta(minutes=each)) for each in minutes]
    try:
        requested(requester("bruno"), bruno("Europe/Paris", *past), None)
        said = None
    except Refused as no:
        said = no.code

    assert said == code


@pytest.mark.parametrize(
    ("candidate", "code"),
    [(bruno(is_known=False), "unknown_person"), (bruno(is_reachable=False), "state")],
)
def test_a_test_needs_somebody_whom_something_reaches(
    candidate: Candidate, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        requested(requester(), candidate, None)

    assert refused.value.code == code


def test_the_first_answer_of_its_person_counts() -> None:
    open_ = tried(MONDAY)
    event = answered(open_, open_.id, "person:bruno", MONDAY, "link")
    done = tried(MONDAY, answered_at=MONDAY)

    assert event is not None
    assert (event.person, event.via) == ("bruno", "link")
    assert answered(done, done.id, "person:bruno", MONDAY + 2 * HOUR, "link") is None


@pytest.mark.parametrize(
    ("test", "by", "at"),
    [
        (tried(MONDAY), "person:chloe", MONDAY),
        (tried(MONDAY), "person:bruno", MONDAY + HOUR),
        (None, "person:bruno", MONDAY),
    ],
    ids=["somebody else", "too late", "no such test"],
)
def test_other_answers_are_refused(
    test: PageTest | None, by: str, at: datetime
) -> None:
    with pytest.raises(Refused):
        answered(test, "PT-bruno.1", by, at, "link")


@pytest.mark.parametrize("body", [{}, {"person": "bruno", "schedule": "astreinte"}])
def test_a_request_names_either_a_person_or_a_schedule(body: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either a `person` or a `schedule`"):
        RequestPageTest.model_validate(body)
